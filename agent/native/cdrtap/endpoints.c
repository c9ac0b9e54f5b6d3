#include "tap.h"

#include <stdlib.h>
#include <string.h>

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

