#include "cdrtap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "raw_type.h"

#include "dds/dds.h"

#define ENDPOINTS_AT_ONCE 128
#define TAKE_AT_ONCE 512

struct reader {
  struct cdrtap *tap;
  struct reader *next; /* in the list of those that have samples */
  dds_entity_t topic, subscriber, entity;
  uint32_t number;
  int listed, held, pending; /* guarded by the tap's lock, like next */
};

struct cdrtap {
  dds_entity_t domain, participant, publications;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct reader *first, *last; /* readers that have samples */
  int waiting, woken, endpoints;
  struct reader **readers;
  uint32_t reader_count;
  struct raw_limits *limits; /* outlives the domain's types */

  dds_sample_info_t infos[TAKE_AT_ONCE];
  struct ddsi_serdata *taken[TAKE_AT_ONCE];

  void *loans[ENDPOINTS_AT_ONCE];
  dds_sample_info_t loan_infos[ENDPOINTS_AT_ONCE];
  void *copies[ENDPOINTS_AT_ONCE][2]; /* partitions and user data of each */
  int loan_count;
};

/* --- what CycloneDDS says --- */

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static char log_text[8192];
static uint32_t log_size;

static void keep_log (void *unused, const dds_log_data_t *data)
{
  (void) unused;
  pthread_mutex_lock (&log_lock);
  if (data->size < sizeof (log_text) - log_size)
  {
    memcpy (log_text + log_size, data->message, data->size);
    log_size += (uint32_t) data->size;
  }
  pthread_mutex_unlock (&log_lock);
}

uint32_t cdrtap_log (char *text, uint32_t size)
{
  pthread_mutex_lock (&log_lock);
  uint32_t moved = log_size < size ? log_size : size;
  memcpy (text, log_text, moved);
  log_size = 0;
  pthread_mutex_unlock (&log_lock);
  return moved;
}

const char *cdrtap_error (int code)
{
  return dds_strretcode (code);
}

/* --- readiness --- */

static void notify (struct cdrtap *tap)
{
  if (tap->waiting)
    pthread_cond_signal (&tap->changed);
}

/* Lock. */
static void list (struct reader *reader)
{
  if (reader->listed)
    return;
  reader->listed = 1;
  reader->next = NULL;
  if (reader->tap->last)
    reader->tap->last->next = reader;
  else
    reader->tap->first = reader;
  reader->tap->last = reader;
  notify (reader->tap);
}

static void on_samples (dds_entity_t entity, void *arg)
{
  (void) entity;
  struct reader *reader = arg;
  pthread_mutex_lock (&reader->tap->lock);
  if (reader->held)
    reader->pending = 1;
  else
    list (reader);
  pthread_mutex_unlock (&reader->tap->lock);
}

static void on_endpoints (dds_entity_t entity, void *arg)
{
  (void) entity;
  struct cdrtap *tap = arg;
  pthread_mutex_lock (&tap->lock);
  tap->endpoints = 1;
  notify (tap);
  pthread_mutex_unlock (&tap->lock);
}

void cdrtap_wake (struct cdrtap *tap)
{
  pthread_mutex_lock (&tap->lock);
  tap->woken = 1;
  notify (tap);
  pthread_mutex_unlock (&tap->lock);
}

/* --- opening and closing --- */

static int open_participant (struct cdrtap *tap, uint32_t domain)
{
  /* ROS nodes read the enclave from each participant's user data. */
  static const char enclave[] = "enclave=/;";
  dds_qos_t *qos = dds_create_qos ();
  dds_qset_userdata (qos, enclave, sizeof (enclave) - 1);
  tap->participant = dds_create_participant (domain, qos, NULL);
  dds_delete_qos (qos);
  if (tap->participant < 0)
    return tap->participant;
  dds_listener_t *listener = dds_create_listener (tap);
  dds_lset_data_available (listener, on_endpoints);
  tap->publications = dds_create_reader (tap->participant, DDS_BUILTIN_TOPIC_DCPSPUBLICATION, NULL, listener);
  dds_delete_listener (listener);
  tap->endpoints = 1;
  return tap->publications < 0 ? tap->publications : 0;
}

int cdrtap_open (uint32_t domain, const char *configuration, uint64_t waiting_bytes, struct cdrtap **opened)
{
  dds_set_log_sink (keep_log, NULL);
  struct cdrtap *tap = calloc (1, sizeof (*tap));
  if (tap == NULL || (tap->limits = calloc (1, sizeof (*tap->limits))) == NULL)
  {
    free (tap);
    return DDS_RETCODE_OUT_OF_RESOURCES;
  }
  tap->limits->allowed = (long long) waiting_bytes;
  pthread_condattr_t monotonic;
  pthread_condattr_init (&monotonic);
  pthread_condattr_setclock (&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init (&tap->changed, &monotonic);
  pthread_condattr_destroy (&monotonic);
  pthread_mutex_init (&tap->lock, NULL);
  tap->domain = dds_create_domain (domain, configuration);
  int rc = tap->domain < 0 ? tap->domain : open_participant (tap, domain);
  if (rc < 0)
  {
    cdrtap_close (tap);
    return rc;
  }
  *opened = tap;
  return 0;
}

void cdrtap_close (struct cdrtap *tap)
{
  for (uint32_t i = 0; i < tap->reader_count; i++)
    if (tap->readers[i])
      cdrtap_unsubscribe (tap, i);
  cdrtap_return_endpoints (tap);
  if (tap->domain > 0)
    dds_delete (tap->domain);
  pthread_cond_destroy (&tap->changed);
  pthread_mutex_destroy (&tap->lock);
  free (tap->readers);
  free (tap->limits);
  free (tap);
}

/* --- writers --- */

static uint8_t *copy_partitions (const dds_qos_t *qos)
{
  uint32_t count = 0;
  char **names = NULL;
  if (!dds_qget_partition (qos, &count, &names))
    count = 0;
  size_t size = 2;
  for (uint32_t i = 0; i < count; i++)
    size += strlen (names[i]) + 1;
  char *copy = calloc (1, size);
  char *at = copy;
  for (uint32_t i = 0; i < count; i++)
  {
    if (copy)
      at = stpcpy (at, names[i]) + 1;
    dds_free (names[i]);
  }
  dds_free (names);
  return (uint8_t *) copy;
}

static void describe (struct cdrtap_endpoint *to, const dds_builtintopic_endpoint_t *from, void **copies)
{
  dds_durability_kind_t durability = DDS_DURABILITY_VOLATILE;
  dds_reliability_kind_t reliability = DDS_RELIABILITY_BEST_EFFORT;
  dds_history_kind_t history = DDS_HISTORY_KEEP_LAST;
  dds_liveliness_kind_t liveliness = DDS_LIVELINESS_AUTOMATIC;
  dds_ownership_kind_t ownership = DDS_OWNERSHIP_SHARED;
  dds_duration_t blocking;
  size_t size = 0;
  to->deadline_ns = to->lifespan_ns = to->lease_ns = DDS_INFINITY;
  to->depth = 0;
  dds_qget_durability (from->qos, &durability);
  dds_qget_reliability (from->qos, &reliability, &blocking);
  dds_qget_history (from->qos, &history, &to->depth);
  dds_qget_deadline (from->qos, &to->deadline_ns);
  dds_qget_lifespan (from->qos, &to->lifespan_ns);
  dds_qget_liveliness (from->qos, &liveliness, &to->lease_ns);
  dds_qget_ownership (from->qos, &ownership);
  if (!dds_qget_userdata (from->qos, &copies[1], &size))
    size = 0;
  copies[0] = copy_partitions (from->qos);
  to->topic = from->topic_name;
  to->type = from->type_name;
  to->partitions = copies[0] ? copies[0] : "\0";
  to->user_data = copies[1];
  to->user_data_size = size;
  to->reliable = reliability == DDS_RELIABILITY_RELIABLE;
  to->durability = (int32_t) durability;
  to->keep_all = history == DDS_HISTORY_KEEP_ALL;
  to->liveliness = (int32_t) liveliness;
  to->exclusive = ownership == DDS_OWNERSHIP_EXCLUSIVE;
  memcpy (to->guid, from->key.v, sizeof (to->guid));
}

int cdrtap_endpoints (struct cdrtap *tap, struct cdrtap_endpoint *endpoints, uint32_t max)
{
  cdrtap_return_endpoints (tap);
  if (max > ENDPOINTS_AT_ONCE)
    max = ENDPOINTS_AT_ONCE;
  int count = dds_take (tap->publications, tap->loans, tap->loan_infos, max, max);
  if (count <= 0)
    return count;
  tap->loan_count = count;
  for (int i = 0; i < count; i++)
  {
    const dds_builtintopic_endpoint_t *from = tap->loans[i];
    memset (&endpoints[i], 0, sizeof (endpoints[i]));
    endpoints[i].handle = tap->loan_infos[i].instance_handle;
    endpoints[i].alive = tap->loan_infos[i].instance_state == DDS_IST_ALIVE;
    if (tap->loan_infos[i].valid_data && from->topic_name && from->type_name && from->qos)
      describe (&endpoints[i], from, tap->copies[i]);
  }
  return count;
}

void cdrtap_return_endpoints (struct cdrtap *tap)
{
  if (tap->loan_count == 0)
    return;
  for (int i = 0; i < tap->loan_count; i++)
  {
    free (tap->copies[i][0]);
    dds_free (tap->copies[i][1]);
    tap->copies[i][0] = tap->copies[i][1] = NULL;
  }
  dds_return_loan (tap->publications, tap->loans, tap->loan_count);
  tap->loan_count = 0;
  memset (tap->loans, 0, sizeof (tap->loans));
}

/* --- readers --- */

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
    list (reader);
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

/* --- samples --- */

static struct timespec after_ms (uint32_t ms)
{
  struct timespec until;
  clock_gettime (CLOCK_MONOTONIC, &until);
  until.tv_sec += ms / 1000;
  until.tv_nsec += (long) (ms % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000)
  {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  return until;
}

/* Waits until something is ready; 1 when it had to wait. */
static int wait_for_work (struct cdrtap *tap, uint32_t wait_ms)
{
  int waited = 0;
  pthread_mutex_lock (&tap->lock);
  if (wait_ms > 0 && !tap->first && !tap->endpoints && !tap->woken)
  {
    struct timespec until = after_ms (wait_ms);
    waited = tap->waiting = 1;
    while (!tap->first && !tap->endpoints && !tap->woken && pthread_cond_timedwait (&tap->changed, &tap->lock, &until) != ETIMEDOUT)
      ;
    tap->waiting = 0;
    waited = tap->first != NULL;
  }
  tap->woken = 0;
  pthread_mutex_unlock (&tap->lock);
  return waited;
}

int cdrtap_take_from (struct cdrtap *tap, uint32_t number, struct cdrtap_sample *samples, uint32_t max)
{
  if (max > TAKE_AT_ONCE)
    max = TAKE_AT_ONCE;
  int count = dds_takecdr (tap->readers[number]->entity, tap->taken, max, tap->infos, DDS_ANY_STATE);
  for (int i = 0; i < count; i++)
  {
    const struct raw_sample *sample = (const struct raw_sample *) tap->taken[i];
    const dds_sample_info_t *info = &tap->infos[i];
    samples[i] = (struct cdrtap_sample) {
      .writer = info->publication_handle, .sequence = sample->sequence, .source_ns = info->source_timestamp, .received_ns = sample->received_ns,
      .data = sample->data, .size = sample->size, .reader = number,
      .state = !info->valid_data ? CDRTAP_NO_DATA : sample->dropped ? CDRTAP_NO_MEMORY : CDRTAP_DATA, .owner = tap->taken[i],
    };
  }
  return count;
}

int cdrtap_take (struct cdrtap *tap, struct cdrtap_sample *samples, uint32_t max, uint32_t wait_ms, uint32_t gather_us)
{
  if (wait_for_work (tap, wait_ms) && gather_us > 0)
  {
    struct timespec gather = { .tv_nsec = (long) gather_us * 1000 };
    nanosleep (&gather, NULL);
  }
  uint32_t count = 0;
  int endpoints;
  for (;;)
  {
    pthread_mutex_lock (&tap->lock);
    struct reader *reader = count < max ? tap->first : NULL;
    if (reader)
    {
      tap->first = reader->next;
      if (tap->first == NULL)
        tap->last = NULL;
      reader->listed = 0;
    }
    endpoints = tap->endpoints;
    if (reader == NULL)
      tap->endpoints = 0;
    pthread_mutex_unlock (&tap->lock);
    if (reader == NULL)
      break;
    uint32_t room = max - count < TAKE_AT_ONCE ? max - count : TAKE_AT_ONCE;
    int taken = cdrtap_take_from (tap, reader->number, samples + count, room);
    if (taken < 0)
    {
      if (count > 0)
        cdrtap_release (samples, count);
      return taken;
    }
    count += (uint32_t) taken;
    if ((uint32_t) taken == room)
    {
      pthread_mutex_lock (&tap->lock);
      list (reader);
      pthread_mutex_unlock (&tap->lock);
    }
  }
  return (int) (count | (endpoints ? CDRTAP_ENDPOINTS : 0));
}

void cdrtap_release (struct cdrtap_sample *samples, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++)
    ddsi_serdata_unref (samples[i].owner);
}
