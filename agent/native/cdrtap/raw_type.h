/* A DDS type whose samples are bytes: CycloneDDS's ddsi_sertype and ddsi_serdata, which its headers install but do not keep stable. */
#ifndef CDRTAP_RAW_TYPE_H
#define CDRTAP_RAW_TYPE_H

#include <stdatomic.h>

#include "dds/ddsi/ddsi_serdata.h"
#include "dds/ddsi/ddsi_sertype.h"
#include "dds/version.h"

#if DDS_VERSION_MAJOR != 0 || DDS_VERSION_MINOR != 10
#error "cdrtap knows the internals of CycloneDDS 0.10 only"
#endif

/* Builds of the library with shared memory have a few members more at the end of some structures, and the headers do not tell which build
 * it is. They are not used here; this much room behind each structure makes both layouts right. */
#define RAW_SLACK 32

struct raw_limits {
  atomic_llong waiting; /* bytes of samples that are not released */
  long long allowed;
};

struct raw_type {
  struct ddsi_sertype c;
  char slack[RAW_SLACK];
  struct raw_limits *limits;
};

struct raw_sample {
  struct ddsi_serdata c;
  char slack[RAW_SLACK];
  struct raw_limits *limits;
  uint64_t sequence;
  int64_t received_ns;
  uint32_t size;    /* as it came */
  uint32_t dropped; /* there was no memory for it */
  _Alignas (8) uint8_t data[];
};

struct ddsi_sertype *raw_type_new (const char *name, int keyed, struct raw_limits *limits);

#endif
