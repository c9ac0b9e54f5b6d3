/* Publishes ROS 2 messages over CycloneDDS: see options in main. Says "ready", then "done N" and ends when standard input ends. */
#include "options.h"

#include "dds/dds.h"
#include "dds/ddsi/ddsi_serdata.h"
#include "dds/ddsi/ddsi_sertype.h"

#include "graph16.h"
#include "ros_types.h"

#define PARTS 4 /* elements of sequences */

typedef sensor_msgs_msg_dds__PointField_ PointField;
typedef geometry_msgs_msg_dds__TransformStamped_ Stamped;
typedef diagnostic_msgs_msg_dds__DiagnosticStatus_ Status;
typedef diagnostic_msgs_msg_dds__KeyValue_ KeyValue;

static char *text_of (size_t length, unsigned n)
{
  char *text = malloc (length + 1);
  fill_text (text, length, n);
  return text;
}

static std_msgs_msg_dds__Header_ header_of (unsigned n)
{
  static char frame[] = "base_link";
  return (std_msgs_msg_dds__Header_) { .stamp = { .sec = (int32_t) n, .nanosec = 5 }, .frame_id = frame };
}

static void fill_string (void *sample, unsigned n, size_t size)
{
  std_msgs_msg_dds__String_ *message = sample;
  if (message->data == NULL)
    message->data = malloc (size + 1);
  fill_text (message->data, size, n);
}

static void fill_imu (void *sample, unsigned n, size_t size)
{
  sensor_msgs_msg_dds__Imu_ *message = sample;
  message->header = header_of (n);
  message->orientation.w = n;
  message->linear_acceleration.z = (double) size;
  message->linear_acceleration_covariance[8] = n / 3.0;
}

static void fill_cloud (void *sample, unsigned n, size_t size)
{
  static PointField fields[PARTS] = { { "x", 0, 7, 1 }, { "yy", 4, 7, 1 }, { "zzz", 8, 7, 1 }, { "intensity", 12, 7, 1 } };
  sensor_msgs_msg_dds__PointCloud2_ *message = sample;
  message->header = header_of (n);
  message->height = 1;
  message->width = (uint32_t) (size / 16);
  message->point_step = 16;
  message->row_step = (uint32_t) size;
  message->fields._buffer = fields;
  message->fields._length = message->fields._maximum = PARTS;
  if (message->data._buffer == NULL)
  {
    message->data._buffer = malloc (size);
    message->data._length = message->data._maximum = (uint32_t) size;
    for (size_t i = 0; i < size; i++)
      message->data._buffer[i] = (uint8_t) (i * 31 + i / 251);
  }
  memcpy (message->data._buffer, &n, size < 4 ? size : 4);
  message->is_dense = n & 1;
}

static void fill_tf (void *sample, unsigned n, size_t size)
{
  static Stamped transforms[PARTS];
  tf2_msgs_msg_dds__TFMessage_ *message = sample;
  (void) size;
  for (unsigned i = 0; i < PARTS; i++)
  {
    transforms[i].header = header_of (n + i);
    free (transforms[i].child_frame_id);
    transforms[i].child_frame_id = text_of (n % 7 + i, n);
    transforms[i].transform.rotation.w = n + i;
  }
  message->transforms._buffer = transforms;
  message->transforms._length = message->transforms._maximum = 1 + n % PARTS;
}

static void fill_diagnostics (void *sample, unsigned n, size_t size)
{
  static Status status[PARTS];
  static KeyValue values[PARTS];
  diagnostic_msgs_msg_dds__DiagnosticArray_ *message = sample;
  (void) size;
  message->header = header_of (n);
  for (unsigned i = 0; i < PARTS; i++)
  {
    free (values[i].key);
    free (values[i].value);
    values[i] = (KeyValue) { .key = text_of (i + n % 5, n), .value = text_of (n % 11, n) };
    status[i] = (Status) { .level = (uint8_t) i, .name = "motor", .message = values[i].value, .hardware_id = values[i].key };
    status[i].values._buffer = values;
    status[i].values._length = status[i].values._maximum = i;
  }
  message->status._buffer = status;
  message->status._length = message->status._maximum = n % (PARTS + 1);
}

static const struct kind {
  const char *name;
  const dds_topic_descriptor_t *descriptor;
  void (*fill) (void *sample, unsigned n, size_t size);
} kinds[] = {
  { "string", &std_msgs_msg_dds__String__desc, fill_string },
  { "imu", &sensor_msgs_msg_dds__Imu__desc, fill_imu },
  { "cloud", &sensor_msgs_msg_dds__PointCloud2__desc, fill_cloud },
  { "tf", &tf2_msgs_msg_dds__TFMessage__desc, fill_tf },
  { "diagnostics", &diagnostic_msgs_msg_dds__DiagnosticArray__desc, fill_diagnostics },
};

static const struct kind *kind_named (const char *name)
{
  for (size_t i = 0; i < sizeof (kinds) / sizeof (*kinds); i++)
    if (strcmp (kinds[i].name, name) == 0)
      return &kinds[i];
  fprintf (stderr, "type=%s is none\n", name);
  exit (2);
}

static dds_entity_t must (dds_entity_t rc, const char *what)
{
  if (rc >= 0)
    return rc;
  fprintf (stderr, "%s: %s\n", what, dds_strretcode (rc));
  exit (1);
}

static dds_entity_t create_writer (dds_entity_t participant, const struct kind *kind, const char *name)
{
  dds_qos_t *qos = dds_create_qos ();
  const char *hash = text_option ("hash", NULL);
  const char *partition = text_option ("partition", NULL);
  char user_data[128];
  if (hash)
    dds_qset_userdata (qos, user_data, (size_t) snprintf (user_data, sizeof (user_data), "typehash=%s;", hash));
  if (partition)
    dds_qset_partition1 (qos, partition);
  dds_qset_reliability (qos, number_option ("reliable", 1) ? DDS_RELIABILITY_RELIABLE : DDS_RELIABILITY_BEST_EFFORT, DDS_SECS (60));
  dds_qset_durability (qos, number_option ("transient", 0) ? DDS_DURABILITY_TRANSIENT_LOCAL : DDS_DURABILITY_VOLATILE);
  /* Keeping all makes a reliable writer wait for its readers in place of giving up what they have not got yet. */
  dds_qset_history (qos, number_option ("keepall", 0) ? DDS_HISTORY_KEEP_ALL : DDS_HISTORY_KEEP_LAST, (int32_t) number_option ("depth", 100));
  dds_qset_durability_service (qos, 0, DDS_HISTORY_KEEP_LAST, (int32_t) number_option ("depth", 100), -1, -1, -1);
  dds_entity_t topic = must (dds_create_topic (participant, kind->descriptor, name, NULL, NULL), "topic");
  dds_entity_t writer = must (dds_create_writer (participant, topic, qos, NULL), "writer");
  dds_delete_qos (qos);
  return writer;
}

/* Tells the nodes of this participant as rmw does: one node that owns the writer. */
static void tell_node (dds_entity_t participant, const char *node, dds_entity_t owned)
{
  static char space[] = "/test";
  dds_qos_t *qos = dds_create_qos ();
  dds_qset_reliability (qos, DDS_RELIABILITY_RELIABLE, DDS_SECS (1));
  dds_qset_durability (qos, DDS_DURABILITY_TRANSIENT_LOCAL);
  dds_entity_t topic = must (dds_create_topic (
    participant, &rmw_dds_common_msg_dds__ParticipantEntitiesInfo__desc, "ros_discovery_info", NULL, NULL), "topic");
  dds_entity_t writer = must (dds_create_writer (participant, topic, qos, NULL), "writer");
  dds_delete_qos (qos);
  rmw_dds_common_msg_dds__Gid_ gid;
  rmw_dds_common_msg_dds__NodeEntitiesInfo_ info = { .node_namespace = space, .node_name = (char *) node };
  rmw_dds_common_msg_dds__ParticipantEntitiesInfo_ message = { 0 };
  dds_guid_t guid;
  dds_get_guid (owned, &guid);
  memcpy (gid.data, guid.v, 16);
  info.writer_gid_seq._buffer = &gid;
  info.writer_gid_seq._length = info.writer_gid_seq._maximum = 1;
  message.node_entities_info_seq._buffer = &info;
  message.node_entities_info_seq._length = message.node_entities_info_seq._maximum = 1;
  dds_get_guid (participant, &guid);
  memcpy (message.gid.data, guid.v, 16);
  must (dds_write (writer, &message), "node");
}

/* A reader of this process that has what a writer just wrote. It hears the topic's other writers as well, whose samples must push none out. */
static dds_entity_t create_own_reader (dds_entity_t participant, dds_entity_t writer)
{
  dds_qos_t *qos = dds_create_qos ();
  dds_qset_history (qos, DDS_HISTORY_KEEP_ALL, 0);
  dds_entity_t own = must (dds_create_reader (participant, dds_get_topic (writer), qos, NULL), "own reader");
  dds_delete_qos (qos);
  return own;
}

/* Writes the bytes of the sample that this writer just wrote. */
static void dump_sample (FILE *file, dds_entity_t own, dds_instance_handle_t writer)
{
  struct ddsi_serdata *data;
  dds_sample_info_t info;
  bool found = false;
  while (!found)
  {
    if (must (dds_takecdr (own, &data, 1, &info, DDS_ANY_STATE), "own sample") != 1)
    {
      fprintf (stderr, "own sample: none\n");
      exit (1);
    }
    found = info.publication_handle == writer && info.valid_data;
    if (found)
    {
      unsigned size = ddsi_serdata_size (data);
      void *bytes = malloc (size + 4);
      ddsi_serdata_to_ser (data, 0, size, bytes);
      dump_bytes (file, bytes, size);
      free (bytes);
    }
    ddsi_serdata_unref (data);
  }
}

static void publish (dds_entity_t *writers, long topics, const struct kind *kind, dds_entity_t own)
{
  long count = number_option ("count", 0), rate = number_option ("rate", 0), first = number_option ("first", 0);
  size_t size = (size_t) number_option ("size", 16);
  const char *dump = text_option ("dump", NULL);
  FILE *file = dump ? fopen (dump, "wb") : NULL;
  void *sample = calloc (1, kind->descriptor->m_size);
  dds_instance_handle_t own_writer = 0;
  if (file)
    must (dds_get_instance_handle (writers[0], &own_writer), "own writer");
  struct timespec due;
  clock_gettime (CLOCK_MONOTONIC, &due);
  for (long n = 0; n < count; n++)
  {
    if (n == 0 || size <= 100000 || file)
      kind->fill (sample, (unsigned) (first + n), size);
    must (dds_write (writers[n % topics], sample), "write");
    if (file)
      dump_sample (file, own, own_writer);
    if (rate > 0)
      sleep_until (&due, 1000000000 / rate);
  }
  if (file)
    fclose (file);
  if (count > 0 && number_option ("reliable", 1))
    dds_wait_for_acks (writers[0], DDS_SECS (30));
}

/* domain topic topics type count rate size reliable transient depth keepall hash node partition dump first match settle config local wait */
int main (int argc, char **argv)
{
  option_count = argc;
  option_values = argv;
  dds_domainid_t domain = (dds_domainid_t) number_option ("domain", 0);
  /* As rmw_cyclonedds_cpp configures it with ROS_LOCALHOST_ONLY. */
  static const char local[] =
    "<CycloneDDS><Domain><General><Interfaces><NetworkInterface address=\"127.0.0.1\"/></Interfaces></General></Domain></CycloneDDS>";
  const char *configuration = text_option ("config", number_option ("local", 0) ? local : NULL);
  if (configuration)
    must (dds_create_domain (domain, configuration), "domain");
  dds_entity_t participant = must (dds_create_participant (domain, NULL, NULL), "participant");
  const struct kind *kind = kind_named (text_option ("type", "string"));
  long topics = number_option ("topics", 1), match = number_option ("match", 1);
  dds_entity_t *writers = calloc ((size_t) topics, sizeof (*writers));
  for (long i = 0; i < topics; i++)
  {
    char name[256];
    snprintf (name, sizeof (name), topics > 1 ? "%s_%ld" : "%s", text_option ("topic", "rt/chatter"), i);
    writers[i] = create_writer (participant, kind, name);
  }
  dds_entity_t own = 0;
  if (text_option ("dump", NULL))
  {
    own = create_own_reader (participant, writers[0]);
    match += match > 0;
  }
  if (text_option ("node", NULL))
    tell_node (participant, text_option ("node", ""), writers[0]);
  say ("ready");
  if (number_option ("wait", 0))
    while (getchar () != '\n')
      ;
  for (long i = 0; i < topics; i++)
    while (match > 0 && dds_get_matched_subscriptions (writers[i], NULL, 0) < match)
      sleep_ms (5);
  /* A reader counts as matched here a little before it hears: as in any discovery, both sides learn on their own. */
  if (match > 0)
    sleep_ms (number_option ("settle", 500));
  say ("matched");
  publish (writers, topics, kind, own);
  printf ("done %ld\n", number_option ("count", 0));
  fflush (stdout);
  while (getchar () != EOF)
    ;
  dds_delete (DDS_CYCLONEDDS_HANDLE);
  return 0;
}
