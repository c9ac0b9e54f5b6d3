/* What the files of cdrtap share. */
#ifndef CDRTAP_TAP_H
#define CDRTAP_TAP_H

#include "cdrtap.h"

#include <pthread.h>

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
  int plenty; /* the last take found several samples; the taking thread's own */
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

/* Puts a reader into the list of those that have samples, and wakes who waits for them. Under the tap's lock. */
void tap_list (struct reader *reader);

#endif
