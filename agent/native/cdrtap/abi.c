/* Compares the structures of the CycloneDDS that is loaded with those of the headers: makes one of each with the library's own functions and
 * looks whether every member that cdrtap reads or sets is where the headers say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdrtap.h"
#include "raw_type.h"

#include "dds/ddsi/q_radmin.h"

static const char *check_type (void)
{
  struct raw_limits limits = { .allowed = 1 << 20 };
  struct ddsi_sertype *type = raw_type_new ("abi_check", 0, &limits);
  if (type == NULL)
    return "no memory";
  const char *wrong = NULL;
  if (type->type_name == NULL || strcmp (type->type_name, "abi_check") != 0)
    wrong = "ddsi_sertype.type_name";
  else if (!type->typekind_no_key || type->request_keyhash)
    wrong = "ddsi_sertype.typekind_no_key";
  else if (type->serdata_basehash != ddsi_sertype_compute_serdata_basehash (type->serdata_ops))
    wrong = "ddsi_sertype.serdata_basehash";
  else if ((ddsrt_atomic_ld32 (&type->flags_refc) & 0xffff) != 1)
    wrong = "ddsi_sertype.flags_refc";
  else
  {
    static const uint8_t bytes[8] = { 0, 1, 0, 0, 1, 2, 3, 4 };
    ddsrt_iovec_t piece = { .iov_base = (void *) bytes, .iov_len = sizeof (bytes) };
    struct ddsi_serdata *d = ddsi_serdata_from_ser_iov (type, SDK_DATA, 1, &piece, sizeof (bytes));
    struct raw_sample *sample = (struct raw_sample *) d;
    if (d->type != type || d->kind != SDK_DATA || ddsrt_atomic_ld32 (&d->refc) != 1)
      wrong = "ddsi_serdata";
    else if (memcmp (sample->data, bytes, sizeof (bytes)) != 0 || sample->limits != &limits)
      wrong = "the end of ddsi_serdata";
    ddsi_serdata_unref (d);
    if (wrong == NULL && atomic_load (&limits.waiting) != 0)
      wrong = "ddsi_serdata_ops.free";
  }
  type->ops->free (type);
  return wrong;
}

static const char *check_fragments (void)
{
  struct ddsrt_log_cfg log;
  dds_log_cfg_init (&log, 0, 0, NULL, NULL);
  struct nn_rbufpool *pool = nn_rbufpool_new (&log, 1 << 18, 1 << 16);
  if (pool == NULL)
    return "no memory";
  nn_rbufpool_setowner (pool, ddsrt_thread_self ());
  struct nn_rmsg *message = nn_rmsg_new (pool);
  nn_rmsg_setsize (message, 256);
  const struct nn_rdata *data = nn_rdata_new (message, 16, 48, 20, 44, 0);
  const char *wrong = NULL;
  if (data->rmsg != message || data->nextfrag != NULL || data->min != 16 || data->maxp1 != 48)
    wrong = "nn_rdata";
  else if (NN_RDATA_SUBMSG_OFF (data) != 20 || NN_RDATA_PAYLOAD_OFF (data) != 44)
    wrong = "the offsets of nn_rdata";
  else if (message->chunk.u.size < 256 || message->lastchunk != &message->chunk)
    wrong = "nn_rmsg";
  /* Behind the 256 bytes of the payload the library placed the nn_rdata. */
  else if ((const unsigned char *) data < NN_RMSG_PAYLOAD (message) + 256 || (const unsigned char *) data > NN_RMSG_PAYLOAD (message) + 256 + 64)
    wrong = "the payload of nn_rmsg";
  nn_rmsg_commit (message);
  nn_rbufpool_free (pool);
  return wrong;
}

int cdrtap_check (char *reason, size_t size)
{
  const char *wrong = check_type ();
  if (wrong == NULL)
    wrong = check_fragments ();
  if (wrong == NULL)
    return 0;
  snprintf (reason, size, "compiled for CycloneDDS %s, and the library that was loaded differs in %s", DDS_VERSION, wrong);
  return DDS_RETCODE_UNSUPPORTED;
}
