#include "raw_type.h"

#include <stdlib.h>
#include <string.h>

#include "dds/ddsi/q_radmin.h"
#include "dds/ddsrt/time.h"

/* Offset of writerSN (high 32 bits, then low 32) in the RTPS submessages Data and DataFrag. The receiver has put it into native order. */
#define SEQUENCE_OFFSET 16

/* Memory that a waiting sample takes beside its payload, here and in the reader's cache: what counts when messages are small and many. */
#define SAMPLE_OVERHEAD 256

struct ops_with_slack {
  struct ddsi_serdata_ops ops;
  void *slack[RAW_SLACK / sizeof (void *)];
};

static const struct ops_with_slack serdata_ops;

/* --- samples --- */

static struct raw_sample *sample_new (const struct ddsi_sertype *type, enum ddsi_serdata_kind kind, size_t size)
{
  struct raw_limits *limits = ((const struct raw_type *) type)->limits;
  long long cost = (long long) size + SAMPLE_OVERHEAD;
  struct raw_sample *sample = NULL;
  if (atomic_fetch_add (&limits->waiting, cost) + cost <= limits->allowed)
    sample = malloc (sizeof (*sample) + size);
  int kept = sample != NULL;
  if (!kept)
  {
    atomic_fetch_sub (&limits->waiting, cost);
    sample = malloc (sizeof (*sample));
  }
  if (sample == NULL)
    return NULL;
  memset (sample, 0, sizeof (*sample));
  ddsi_serdata_init (&sample->c, type, kind);
  sample->c.ops = &serdata_ops.ops;
  sample->c.hash = type->serdata_basehash;
  sample->limits = kept ? limits : NULL;
  sample->received_ns = dds_time ();
  sample->size = (uint32_t) size;
  sample->dropped = !kept;
  return sample;
}

static void sample_free (struct ddsi_serdata *d)
{
  struct raw_sample *sample = (struct raw_sample *) d;
  if (sample->limits)
    atomic_fetch_sub (&sample->limits->waiting, (long long) sample->size + SAMPLE_OVERHEAD);
  free (sample);
}

/* The writer's number stands in the submessage that brought the first fragment. */
static uint64_t sequence_of (const struct nn_rdata *first)
{
  if (NN_RDATA_SUBMSG_OFF (first) == 0)
    return 0;
  const unsigned char *at = NN_RMSG_PAYLOADOFF (first->rmsg, NN_RDATA_SUBMSG_OFF (first)) + SEQUENCE_OFFSET;
  int32_t high;
  uint32_t low;
  memcpy (&high, at, 4);
  memcpy (&low, at + 4, 4);
  return ((uint64_t) (uint32_t) high << 32) | low;
}

static struct ddsi_serdata *from_ser (
  const struct ddsi_sertype *type, enum ddsi_serdata_kind kind, const struct nn_rdata *fragments, size_t size)
{
  struct raw_sample *sample = sample_new (type, kind, size);
  if (sample == NULL)
    return NULL;
  sample->sequence = sequence_of (fragments);
  if (sample->dropped)
    return &sample->c;
  uint32_t end = 0;
  for (; fragments && end < size; fragments = fragments->nextfrag)
  {
    if (fragments->maxp1 <= end)
      continue;
    const unsigned char *payload = NN_RMSG_PAYLOADOFF (fragments->rmsg, NN_RDATA_PAYLOAD_OFF (fragments));
    uint32_t next = fragments->maxp1 < size ? fragments->maxp1 : (uint32_t) size;
    memcpy (sample->data + end, payload + (end - fragments->min), next - end);
    end = next;
  }
  return &sample->c;
}

static struct ddsi_serdata *from_ser_iov (
  const struct ddsi_sertype *type, enum ddsi_serdata_kind kind, ddsrt_msg_iovlen_t count, const ddsrt_iovec_t *pieces, size_t size)
{
  struct raw_sample *sample = sample_new (type, kind, size);
  if (sample == NULL || sample->dropped)
    return sample ? &sample->c : NULL;
  size_t end = 0;
  for (ddsrt_msg_iovlen_t i = 0; i < count && end < size; i++)
  {
    size_t bytes = pieces[i].iov_len < size - end ? pieces[i].iov_len : size - end;
    memcpy (sample->data + end, pieces[i].iov_base, bytes);
    end += bytes;
  }
  return &sample->c;
}

static struct ddsi_serdata *without_data (const struct ddsi_sertype *type)
{
  struct raw_sample *sample = sample_new (type, SDK_KEY, 0);
  return sample ? &sample->c : NULL;
}

static struct ddsi_serdata *from_keyhash (const struct ddsi_sertype *type, const struct ddsi_keyhash *hash)
{
  (void) hash;
  return without_data (type);
}

static struct ddsi_serdata *from_sample (const struct ddsi_sertype *type, enum ddsi_serdata_kind kind, const void *sample)
{
  (void) sample;
  (void) kind;
  return without_data (type);
}

/* Kept by the domain for as long as the instance lives, so it must not hold a payload. */
static struct ddsi_serdata *to_untyped (const struct ddsi_serdata *d)
{
  if (d->type == NULL)
    return ddsi_serdata_ref (d);
  struct ddsi_serdata *untyped = without_data (d->type);
  if (untyped)
    untyped->type = NULL;
  return untyped;
}

/* All samples of a topic are one instance: a recorder wants them in order, and keys are part of the payload. */
static bool eqkey (const struct ddsi_serdata *a, const struct ddsi_serdata *b)
{
  (void) a;
  (void) b;
  return true;
}

static uint32_t get_size (const struct ddsi_serdata *d)
{
  return ((const struct raw_sample *) d)->size;
}

static void to_ser (const struct ddsi_serdata *d, size_t offset, size_t size, void *buffer)
{
  const struct raw_sample *sample = (const struct raw_sample *) d;
  size_t there = sample->dropped || offset >= sample->size ? 0 : sample->size - offset;
  if (there > size)
    there = size;
  memcpy (buffer, sample->data + offset, there);
  memset ((char *) buffer + there, 0, size - there);
}

static struct ddsi_serdata *to_ser_ref (const struct ddsi_serdata *d, size_t offset, size_t size, ddsrt_iovec_t *ref)
{
  ref->iov_base = (void *) (((const struct raw_sample *) d)->data + offset);
  ref->iov_len = (ddsrt_iov_len_t) size;
  return ddsi_serdata_ref (d);
}

static void to_ser_unref (struct ddsi_serdata *d, const ddsrt_iovec_t *ref)
{
  (void) ref;
  ddsi_serdata_unref (d);
}

static bool to_sample (const struct ddsi_serdata *d, void *sample, void **buffer, void *limit)
{
  (void) d; (void) sample; (void) buffer; (void) limit;
  return false;
}

static bool untyped_to_sample (const struct ddsi_sertype *type, const struct ddsi_serdata *d, void *sample, void **buffer, void *limit)
{
  (void) type; (void) d; (void) sample; (void) buffer; (void) limit;
  return true;
}

static size_t print (const struct ddsi_sertype *type, const struct ddsi_serdata *d, char *text, size_t size)
{
  (void) type; (void) d;
  if (size > 0)
    text[0] = 0;
  return 0;
}

static void get_keyhash (const struct ddsi_serdata *d, struct ddsi_keyhash *hash, bool force_md5)
{
  (void) d; (void) force_md5;
  memset (hash, 0, sizeof (*hash));
}

static const struct ops_with_slack serdata_ops = { .ops = {
  .eqkey = eqkey, .get_size = get_size, .from_ser = from_ser, .from_ser_iov = from_ser_iov, .from_keyhash = from_keyhash,
  .from_sample = from_sample, .to_ser = to_ser, .to_ser_ref = to_ser_ref, .to_ser_unref = to_ser_unref, .to_sample = to_sample,
  .to_untyped = to_untyped, .untyped_to_sample = untyped_to_sample, .free = sample_free, .print = print, .get_keyhash = get_keyhash,
} };

/* --- types --- */

static void type_free (struct ddsi_sertype *type)
{
  ddsi_sertype_fini (type);
  free (type);
}

static void zero_samples (const struct ddsi_sertype *type, void *samples, size_t count)
{
  (void) type; (void) samples; (void) count;
}

static void realloc_samples (void **pointers, const struct ddsi_sertype *type, void *old, size_t old_count, size_t count)
{
  (void) type; (void) old; (void) old_count;
  for (size_t i = 0; i < count; i++)
    pointers[i] = NULL;
}

static void free_samples (const struct ddsi_sertype *type, void **pointers, size_t count, dds_free_op_t op)
{
  (void) type; (void) pointers; (void) count; (void) op;
}

/* Name and kind have been compared already. */
static bool type_equal (const struct ddsi_sertype *a, const struct ddsi_sertype *b)
{
  return ((const struct raw_type *) a)->limits == ((const struct raw_type *) b)->limits;
}

static uint32_t type_hash (const struct ddsi_sertype *type)
{
  return (uint32_t) (uintptr_t) ((const struct raw_type *) type)->limits;
}

static const struct {
  struct ddsi_sertype_ops ops;
  void *slack[RAW_SLACK / sizeof (void *)];
} sertype_ops = { .ops = {
  .version = ddsi_sertype_v0, .free = type_free, .zero_samples = zero_samples, .realloc_samples = realloc_samples,
  .free_samples = free_samples, .equal = type_equal, .hash = type_hash,
} };

struct ddsi_sertype *raw_type_new (const char *name, int keyed, struct raw_limits *limits)
{
  struct raw_type *type = calloc (1, sizeof (*type));
  if (type == NULL)
    return NULL;
  ddsi_sertype_init_flags (&type->c, name, &sertype_ops.ops, &serdata_ops.ops, keyed ? 0 : DDSI_SERTYPE_FLAG_TOPICKIND_NO_KEY);
  type->c.allowed_data_representation = DDS_DATA_REPRESENTATION_FLAG_XCDR1 | DDS_DATA_REPRESENTATION_FLAG_XCDR2;
  type->limits = limits;
  return &type->c;
}
