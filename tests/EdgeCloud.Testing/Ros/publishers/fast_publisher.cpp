// Publishes ROS 2 messages over FastDDS, with the same options as the publisher over CycloneDDS.
#include "options.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include <fastdds/dds/domain/DomainParticipant.hpp>
#include <fastdds/dds/domain/DomainParticipantFactory.hpp>
#include <fastdds/dds/publisher/DataWriter.hpp>
#include <fastdds/dds/publisher/DataWriterListener.hpp>
#include <fastdds/dds/publisher/Publisher.hpp>
#include <fastdds/rtps/transport/UDPv4TransportDescriptor.h>

#include "graph24PubSubTypes.h"
#include "ros_typesPubSubTypes.h"
#include "widePubSubTypes.h"

using namespace eprosima::fastdds::dds;
using eprosima::fastrtps::rtps::SerializedPayload_t;

namespace {

// The generated types begin with upper case in DDS's own namespaces.
using Imu = sensor_msgs::msg::dds_::Imu_;
using Cloud = sensor_msgs::msg::dds_::PointCloud2_;

std::string text_of (size_t length, unsigned n)
{
  std::vector<char> text (length + 1);
  fill_text (text.data (), length, n);
  return text.data ();
}

std_msgs::msg::dds_::Header_ header_of (unsigned n)
{
  std_msgs::msg::dds_::Header_ header;
  header.stamp ().sec ((int32_t) n);
  header.stamp ().nanosec (5);
  header.frame_id ("base_link");
  return header;
}

void fill (std_msgs::msg::dds_::String_ &message, unsigned n, size_t size)
{
  message.data (text_of (size, n));
}

void fill (Imu &message, unsigned n, size_t size)
{
  message.header (header_of (n));
  message.orientation ().w (n);
  message.linear_acceleration ().z ((double) size);
  message.linear_acceleration_covariance ()[8] = n / 3.0;
}

void fill (Cloud &message, unsigned n, size_t size)
{
  message.header (header_of (n));
  message.height (1);
  message.width ((uint32_t) (size / 16));
  message.point_step (16);
  message.row_step ((uint32_t) size);
  message.fields ().resize (4);
  const char *names[] = { "x", "yy", "zzz", "intensity" };
  for (unsigned i = 0; i < 4; i++)
  {
    message.fields ()[i].name (names[i]);
    message.fields ()[i].offset (4 * i);
    message.fields ()[i].datatype (7);
    message.fields ()[i].count (1);
  }
  if (message.data ().size () != size)
  {
    message.data ().resize (size);
    for (size_t i = 0; i < size; i++)
      message.data ()[i] = (uint8_t) (i * 31 + i / 251);
  }
  memcpy (message.data ().data (), &n, size < 4 ? size : 4);
  message.is_dense (n & 1);
}

void fill (tf2_msgs::msg::dds_::TFMessage_ &message, unsigned n, size_t)
{
  message.transforms ().resize (1 + n % 4);
  for (unsigned i = 0; i < message.transforms ().size (); i++)
  {
    message.transforms ()[i].header (header_of (n + i));
    message.transforms ()[i].child_frame_id (text_of (n % 7 + i, n));
    message.transforms ()[i].transform ().rotation ().w (n + i);
  }
}

void fill (diagnostic_msgs::msg::dds_::DiagnosticArray_ &message, unsigned n, size_t)
{
  message.header (header_of (n));
  message.status ().resize (n % 5);
  for (unsigned i = 0; i < message.status ().size (); i++)
  {
    auto &status = message.status ()[i];
    status.level ((uint8_t) i);
    status.name ("motor");
    status.message (text_of (n % 11, n));
    status.hardware_id (text_of (i + n % 5, n));
    status.values ().resize (i);
    for (auto &value : status.values ())
    {
      value.key (text_of (i, n));
      value.value (text_of (n % 3, n));
    }
  }
}

void fill (edge_msgs::msg::dds_::Wide_ &message, unsigned n, size_t size)
{
  std::wstring text = L"gr\u00FC\u00DFe \u4F60\u597D ";
  for (size_t i = 0; i < size % 16; i++)
    text += (wchar_t) (L'\u0400' + (i + n) % 64);
  message.text (text);
  message.narrow (text_of (n % 5, n));
  message.more ().assign (n % 4, text);
  message.last ((uint8_t) n);
}

struct Matches : DataWriterListener
{
  std::atomic<int> count { 0 };
  void on_publication_matched (DataWriter *, const PublicationMatchedStatus &status) override { count = status.current_count; }
};

DataWriter *create_writer (DomainParticipant *participant, TypeSupport type, const std::string &name, DataWriterListener *listener, bool is_graph)
{
  type.register_type (participant);
  Topic *topic = participant->create_topic (name, type.get_type_name (), TOPIC_QOS_DEFAULT);
  DataWriterQos qos = DATAWRITER_QOS_DEFAULT;
  bool reliable = is_graph || number_option ("reliable", 1), transient = is_graph || number_option ("transient", 0);
  qos.reliability ().kind = reliable ? RELIABLE_RELIABILITY_QOS : BEST_EFFORT_RELIABILITY_QOS;
  qos.reliability ().max_blocking_time = { 60, 0 };
  qos.durability ().kind = transient ? TRANSIENT_LOCAL_DURABILITY_QOS : VOLATILE_DURABILITY_QOS;
  qos.history ().kind = KEEP_LAST_HISTORY_QOS;
  qos.history ().depth = is_graph ? 1 : (int32_t) number_option ("depth", 100);
  // As rmw_fastrtps has it by default for messages of any size.
  qos.publish_mode ().kind = number_option ("async", 1) ? ASYNCHRONOUS_PUBLISH_MODE : SYNCHRONOUS_PUBLISH_MODE;
  qos.endpoint ().history_memory_policy = eprosima::fastrtps::rtps::PREALLOCATED_WITH_REALLOC_MEMORY_MODE;
  if (const char *hash = is_graph ? nullptr : text_option ("hash", nullptr))
  {
    std::string data = std::string ("typehash=") + hash + ";";
    qos.user_data ().setValue ({ data.begin (), data.end () });
  }
  Publisher *publisher = participant->create_publisher (PUBLISHER_QOS_DEFAULT);
  DataWriter *writer = publisher->create_datawriter (topic, qos, listener);
  if (writer == nullptr)
  {
    fprintf (stderr, "no writer for %s\n", name.c_str ());
    exit (1);
  }
  return writer;
}

template <typename Guid>
void copy_guid (const Guid &guid, rmw_dds_common::msg::dds_::Gid_ &gid)
{
  memcpy (gid.data ().data (), guid.guidPrefix.value, 12);
  memcpy (gid.data ().data () + 12, guid.entityId.value, 4);
}

void tell_node (DomainParticipant *participant, const char *node, DataWriter *owned)
{
  DataWriter *writer = create_writer (
    participant, TypeSupport (new rmw_dds_common::msg::dds_::ParticipantEntitiesInfo_PubSubType ()), "ros_discovery_info", nullptr, true);
  rmw_dds_common::msg::dds_::ParticipantEntitiesInfo_ message;
  copy_guid (participant->guid (), message.gid ());
  message.node_entities_info_seq ().resize (1);
  auto &info = message.node_entities_info_seq ()[0];
  info.node_namespace ("/test");
  info.node_name (node);
  info.writer_gid_seq ().resize (1);
  copy_guid (owned->guid (), info.writer_gid_seq ()[0]);
  writer->write (&message);
}

/* Keeps the bytes that are published: the gaps that alignment leaves hold whatever the writer's buffer held. */
template <typename Support>
struct Dumping : Support
{
  FILE *file = nullptr;
  bool serialize (void *data, SerializedPayload_t *payload) override
  {
    bool done = Support::serialize (data, payload);
    dump_bytes (file, payload->data, payload->length);
    return done;
  }
};

template <typename Message, typename Support>
int run (DomainParticipant *participant)
{
  Matches matches;
  auto *support = new Dumping<Support> ();
  TypeSupport type (support);
  DataWriter *writer = create_writer (participant, type, text_option ("topic", "rt/chatter"), &matches, false);
  if (const char *node = text_option ("node", nullptr))
    tell_node (participant, node, writer);
  say ("ready");
  if (number_option ("wait", 0))
    while (getchar () != '\n')
      ;
  long match = number_option ("match", 1), count = number_option ("count", 0), rate = number_option ("rate", 0);
  while (matches.count < match)
    sleep_ms (5);
  if (match > 0)
    sleep_ms (number_option ("settle", 500));
  say ("matched");
  size_t size = (size_t) number_option ("size", 16);
  const char *dump = text_option ("dump", nullptr);
  FILE *file = support->file = dump ? fopen (dump, "wb") : nullptr;
  Message message;
  struct timespec due;
  clock_gettime (CLOCK_MONOTONIC, &due);
  for (long n = 0; n < count; n++)
  {
    if (n == 0 || size <= 100000 || file)
      fill (message, (unsigned) (number_option ("first", 0) + n), size);
    writer->write (&message);
    if (rate > 0)
      sleep_until (&due, 1000000000 / rate);
  }
  support->file = nullptr;
  if (file)
    fclose (file);
  if (count > 0 && number_option ("reliable", 1))
    writer->wait_for_acknowledgments ({ 30, 0 });
  printf ("done %ld\n", count);
  fflush (stdout);
  while (getchar () != EOF)
    ;
  participant->delete_contained_entities ();
  DomainParticipantFactory::get_instance ()->delete_participant (participant);
  return 0;
}

}  // namespace

int main (int argc, char **argv)
{
  option_count = argc;
  option_values = argv;
  DomainParticipantQos qos = PARTICIPANT_QOS_DEFAULT;
  // Between processes of one host FastDDS would use shared memory among its own; the recorder hears UDP.
  qos.transport ().use_builtin_transports = false;
  auto udp = std::make_shared<eprosima::fastdds::rtps::UDPv4TransportDescriptor> ();
  // As rmw_fastrtps_cpp does with ROS_LOCALHOST_ONLY.
  if (number_option ("local", 0))
    udp->interfaceWhiteList.push_back ("127.0.0.1");
  qos.transport ().user_transports.push_back (udp);
  DomainParticipant *participant =
    DomainParticipantFactory::get_instance ()->create_participant ((DomainId_t) number_option ("domain", 0), qos);
  const std::string type = text_option ("type", "string");
  if (type == "string")
    return run<std_msgs::msg::dds_::String_, std_msgs::msg::dds_::String_PubSubType> (participant);
  if (type == "imu")
    return run<Imu, sensor_msgs::msg::dds_::Imu_PubSubType> (participant);
  if (type == "cloud")
    return run<Cloud, sensor_msgs::msg::dds_::PointCloud2_PubSubType> (participant);
  if (type == "tf")
    return run<tf2_msgs::msg::dds_::TFMessage_, tf2_msgs::msg::dds_::TFMessage_PubSubType> (participant);
  if (type == "diagnostics")
    return run<diagnostic_msgs::msg::dds_::DiagnosticArray_, diagnostic_msgs::msg::dds_::DiagnosticArray_PubSubType> (participant);
  if (type == "wide")
    return run<edge_msgs::msg::dds_::Wide_, edge_msgs::msg::dds_::Wide_PubSubType> (participant);
  fprintf (stderr, "type=%s is none\n", type.c_str ());
  return 2;
}
