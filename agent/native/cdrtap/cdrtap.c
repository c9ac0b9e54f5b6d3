#include "tap.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

void tap_list (struct reader *reader)
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

/* CycloneDDS's receive buffers and samples of megabytes come and go many times a second. By default glibc gives each back to the kernel,
 * which costs a page fault for every 4 KiB of the next one. */
static void keep_freed_memory (void)
{
  mallopt (M_MMAP_THRESHOLD, 4 << 20);
  mallopt (M_TRIM_THRESHOLD, 8 << 20);
}

int cdrtap_open (uint32_t domain, const char *configuration, uint64_t waiting_bytes, struct cdrtap **opened)
{
  dds_set_log_sink (keep_log, NULL);
  keep_freed_memory ();
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

static void sleep_us (uint32_t us)
{
  struct timespec time = { .tv_nsec = (long) us * 1000 };
  nanosleep (&time, NULL);
}

/* Waits until something is ready; 1 when it had to wait. While samples come in plenty it only looks now and then, every poll_us: to be woken
 * by the first of them and to sleep until more are there would be two wake-ups, and a call by whoever brings it. */
static int wait_for_work (struct cdrtap *tap, uint32_t wait_ms, uint32_t poll_us)
{
  int waited = 0;
  pthread_mutex_lock (&tap->lock);
  if (poll_us > 0 && wait_ms > 0 && !tap->first && !tap->endpoints && !tap->woken)
  {
    pthread_mutex_unlock (&tap->lock);
    sleep_us (poll_us);
    pthread_mutex_lock (&tap->lock);
  }
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
  if (wait_for_work (tap, wait_ms, tap->plenty ? gather_us : 0) && gather_us > 0)
    sleep_us (gather_us);
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
      tap_list (reader);
      pthread_mutex_unlock (&tap->lock);
    }
  }
  tap->plenty = count > 1;
  return (int) (count | (endpoints ? CDRTAP_ENDPOINTS : 0));
}

void cdrtap_release (struct cdrtap_sample *samples, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++)
    ddsi_serdata_unref (samples[i].owner);
}
