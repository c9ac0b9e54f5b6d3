#include "tap.h"

#include <stdlib.h>
#include <string.h>

static void on_samples (dds_entity_t entity, void *arg)
{
  (void) entity;
  struct reader *reader = arg;
  pthread_mutex_lock (&reader->tap->lock);
  if (reader->held)
    reader->pending = 1;
  else
    tap_list (reader);
  pthread_mutex_unlock (&reader->tap->lock);
}

static dds_qos_t *reader_qos (const struct cdrtap_request *request)
{
  static const dds_data_representation_id_t both[] = { DDS_DATA_REPRESENTATION_XCDR1, DDS_DATA_REPRESENTATION_XCDR2 };
  dds_qos_t *qos = dds_create_qos ();
  dds_qset_reliability (qos, request->reliable ? DDS_RELIABILITY_RELIABLE : DDS_RELIABILITY_BEST_EFFORT, DDS_SECS (1));
  dds_qset_durability (qos, (dds_durability_kind_t) request->durability);
  dds_qset_history (qos, request->keep_all ? DDS_HISTORY_KEEP_ALL : DDS_HISTORY_KEEP_LAST, request->depth);
  dds_qset_deadline (qos, request->deadline_ns);
  dds_qset_liveliness (qos, (dds_liveliness_kind_t) request->liveliness, request->lease_ns);
  dds_qset_ownership (qos, request->exclusive ? DDS_OWNERSHIP_EXCLUSIVE : DDS_OWNERSHIP_SHARED);
  dds_qset_data_representation (qos, 2, both);
  if (request->user_data_size > 0)
    dds_qset_userdata (qos, request->user_data, request->user_data_size);
  return qos;
}

static dds_entity_t subscriber_in (struct cdrtap *tap, const char *partitions)
{
  if (partitions == NULL || *partitions == 0)
    return tap->participant;
  const char *names[64];
  uint32_t count = 0;
  for (; *partitions && count < 64; partitions += strlen (partitions) + 1)
    names[count++] = partitions;
  dds_qos_t *qos = dds_create_qos ();
  dds_qset_partition (qos, count, names);
  dds_entity_t subscriber = dds_create_subscriber (tap->participant, qos, NULL);
  dds_delete_qos (qos);
  return subscriber;
}

static struct reader *new_reader (struct cdrtap *tap)
{
  struct reader *reader = calloc (1, sizeof (*reader));
  if (reader == NULL)
    return NULL;
  reader->tap = tap;
  while (reader->number < tap->reader_count && tap->readers[reader->number])
    reader->number++;
  if (reader->number == tap->reader_count)
  {
    uint32_t count = tap->reader_count ? 2 * tap->reader_count : 64;
    struct reader **grown = realloc (tap->readers, count * sizeof (*grown));
    if (grown == NULL)
    {
      free (reader);
      return NULL;
    }
    memset (grown + tap->reader_count, 0, (count - tap->reader_count) * sizeof (*grown));
    tap->readers = grown;
    tap->reader_count = count;
  }
  return tap->readers[reader->number] = reader;
}

static int create_entities (struct reader *reader, const struct cdrtap_request *request)
{
  struct cdrtap *tap = reader->tap;
  struct ddsi_sertype *type = raw_type_new (request->type, request->keyed, tap->limits);
  if (type == NULL)
    return DDS_RETCODE_OUT_OF_RESOURCES;
  reader->topic = dds_create_topic_sertype (tap->participant, request->topic, &type, NULL, NULL, NULL);
  if (reader->topic < 0)
  {
    ddsi_sertype_unref (type);
    return reader->topic;
  }
  reader->subscriber = subscriber_in (tap, request->partitions);
  if (reader->subscriber < 0)
    return reader->subscriber;
  dds_listener_t *listener = dds_create_listener (reader);
  dds_lset_data_available (listener, on_samples);
  dds_qos_t *qos = reader_qos (request);
  reader->entity = dds_create_reader (reader->subscriber, reader->topic, qos, listener);
  dds_delete_qos (qos);
  dds_delete_listener (listener);
  return reader->entity < 0 ? reader->entity : 0;
}

int cdrtap_subscribe (struct cdrtap *tap, const struct cdrtap_request *request, int held)
{
  struct reader *reader = new_reader (tap);
  if (reader == NULL)
    return DDS_RETCODE_OUT_OF_RESOURCES;
  reader->held = held;
  int rc = create_entities (reader, request);
  if (rc < 0)
  {
    cdrtap_unsubscribe (tap, reader->number);
    return rc;
  }
  return (int) reader->number;
}

void cdrtap_unsubscribe (struct cdrtap *tap, uint32_t number)
{
  struct reader *reader = tap->readers[number];
  if (reader->entity > 0)
    dds_delete (reader->entity); /* waits for its listener */
  if (reader->subscriber > 0 && reader->subscriber != tap->participant)
    dds_delete (reader->subscriber);
  if (reader->topic > 0)
    dds_delete (reader->topic);
  pthread_mutex_lock (&tap->lock);
  struct reader *before = NULL;
  for (struct reader *at = tap->first; at; before = at, at = at->next)
  {
    if (at != reader)
      continue;
    *(before ? &before->next : &tap->first) = at->next;
    if (tap->last == reader)
      tap->last = before;
    break;
  }
  pthread_mutex_unlock (&tap->lock);
  tap->readers[number] = NULL;
  free (reader);
}

void cdrtap_unhold (struct cdrtap *tap, uint32_t number)
{
  struct reader *reader = tap->readers[number];
  pthread_mutex_lock (&tap->lock);
  reader->held = 0;
  if (reader->pending)
    tap_list (reader);
  pthread_mutex_unlock (&tap->lock);
}

int cdrtap_matched (struct cdrtap *tap, uint32_t number, uint64_t writer)
{
  dds_builtintopic_endpoint_t *endpoint = dds_get_matched_publication_data (tap->readers[number]->entity, writer);
  if (endpoint == NULL)
    return 0;
  dds_builtintopic_free_endpoint (endpoint);
  return 1;
}

