/* cdrtap: subscribes to DDS topics of any type over CycloneDDS and hands out the CDR of each sample as it came over the wire.
 *
 * One tap is one participant. Apart from cdrtap_open and cdrtap_close, its functions are called by one thread; samples arrive on
 * CycloneDDS's own threads and wait, bounded in bytes, until that thread takes them in batches.
 *
 * Functions that answer int give a CycloneDDS return code: 0 or more is good, less than 0 an error that cdrtap_error words. */
#ifndef CDRTAP_H
#define CDRTAP_H

#include <stddef.h>
#include <stdint.h>

#define CDRTAP_VERSION 1
#define CDRTAP_EXPORT __attribute__ ((visibility ("default")))

/* States of a sample. */
enum { CDRTAP_DATA = 0, CDRTAP_NO_DATA = 1, CDRTAP_NO_MEMORY = 2 };

struct cdrtap_sample {
  uint64_t writer;        /* instance handle of its writer, as in cdrtap_endpoint */
  uint64_t sequence;      /* the writer's number of it; 0 when it did not come over the network */
  int64_t source_ns;      /* the writer's stamp, ns since the Unix epoch; 0 when it sent none */
  int64_t received_ns;    /* when it was complete here, ns since the Unix epoch */
  const uint8_t *data;    /* CDR with its 4-byte encapsulation header; valid until released */
  uint32_t size;          /* bytes, RTPS padding (up to 3) included */
  uint32_t reader;        /* as answered by cdrtap_subscribe */
  uint32_t state;         /* CDRTAP_DATA, or why there is no data */
  uint32_t reserved;
  void *owner;
};

struct cdrtap_endpoint {
  uint64_t handle;        /* instance handle, never used again */
  const char *topic;      /* DDS name; NULL for a writer that is gone, like everything below */
  const char *type;
  const char *partitions; /* names, each ended by a zero, and one more zero */
  const uint8_t *user_data;
  uint64_t user_data_size;
  int64_t deadline_ns, lifespan_ns, lease_ns; /* INT64_MAX = infinite */
  int32_t reliable, durability, keep_all, depth, liveliness, exclusive; /* durability and liveliness: DDS's numbers */
  uint8_t guid[16];       /* in the order of the wire */
  int32_t alive;
  int32_t reserved;
};

struct cdrtap_request {
  const char *topic;      /* DDS name */
  const char *type;
  const char *partitions; /* as in cdrtap_endpoint; NULL or empty = the default one */
  const uint8_t *user_data;
  uint64_t user_data_size;
  int64_t deadline_ns, lease_ns; /* INT64_MAX = infinite */
  int32_t keyed, reliable, durability, keep_all, depth, liveliness, exclusive;
  int32_t reserved;
};

struct cdrtap;

/* 0 when the CycloneDDS that is loaded has the structures that this library was compiled for; else writes why not. */
CDRTAP_EXPORT int cdrtap_check (char *reason, size_t size);

/* Opens a domain with a CycloneDDS configuration. waiting_bytes bounds the samples that wait to be taken or released. */
CDRTAP_EXPORT int cdrtap_open (uint32_t domain, const char *configuration, uint64_t waiting_bytes, struct cdrtap **tap);
CDRTAP_EXPORT void cdrtap_close (struct cdrtap *tap);

/* Writers that appeared, changed or went since the last call: up to max of them, valid until cdrtap_return_endpoints. */
CDRTAP_EXPORT int cdrtap_endpoints (struct cdrtap *tap, struct cdrtap_endpoint *endpoints, uint32_t max);
CDRTAP_EXPORT void cdrtap_return_endpoints (struct cdrtap *tap);

/* Subscribes; answers the reader's number, which is free again after cdrtap_unsubscribe. A held reader collects and is not taken from. */
CDRTAP_EXPORT int cdrtap_subscribe (struct cdrtap *tap, const struct cdrtap_request *request, int held);
CDRTAP_EXPORT void cdrtap_unsubscribe (struct cdrtap *tap, uint32_t reader);
CDRTAP_EXPORT void cdrtap_unhold (struct cdrtap *tap, uint32_t reader);

/* Whether a reader is matched with a writer. */
CDRTAP_EXPORT int cdrtap_matched (struct cdrtap *tap, uint32_t reader, uint64_t writer);

/* Waits up to wait_ms for samples or endpoints, then gather_us for more, and takes up to max samples; when the last call took several, it first
 * lets gather_us pass instead of waiting to be woken. The answer is their number, plus
 * CDRTAP_ENDPOINTS when endpoints are to be fetched. Every sample must be released, also those without data. */
#define CDRTAP_ENDPOINTS 0x40000000
CDRTAP_EXPORT int cdrtap_take (struct cdrtap *tap, struct cdrtap_sample *samples, uint32_t max, uint32_t wait_ms, uint32_t gather_us);
CDRTAP_EXPORT int cdrtap_take_from (struct cdrtap *tap, uint32_t reader, struct cdrtap_sample *samples, uint32_t max);
CDRTAP_EXPORT void cdrtap_release (struct cdrtap_sample *samples, uint32_t count);

/* Ends the wait of cdrtap_take; any thread may call. */
CDRTAP_EXPORT void cdrtap_wake (struct cdrtap *tap);

CDRTAP_EXPORT const char *cdrtap_error (int code);

/* Moves what CycloneDDS logged since the last call (warnings and errors, whole lines) to text; answers its length. */
CDRTAP_EXPORT uint32_t cdrtap_log (char *text, uint32_t size);

#endif
