#include "equipoise/conduct/events.h"

#include "equipoise/core/digest.h"
#include "equipoise/core/record.h"

namespace equipoise::conduct {
namespace {

constexpr std::string_view envelope_key = R"({"envelope":)", event_key = R"(,"event":")", data_key = R"(","data":)";

template <std::size_t I = 0>
bool read_event(std::string_view name, record::Reader& reader, Event& event) {
  if constexpr (I < std::variant_size_v<Event>) {
    using E = std::variant_alternative_t<I, Event>;
    if (name == E::name) return reader.read(event.emplace<I>());
    return read_event<I + 1>(name, reader, event);
  } else {
    return false;
  }
}

}  // namespace

std::string_view name_of(Event const& event) {
  return std::visit([](auto const& one) { return std::remove_cvref_t<decltype(one)>::name; }, event);
}

std::string protocol_file_of(Event const& event) {
  if (auto const* opened = std::get_if<TrialOpened>(&event)) return opened->document;
  if (auto const* amended = std::get_if<Amended>(&event)) return amended->document;
  return {};
}

std::string encoded_event(TrialEvent const& event) {
  std::string out(envelope_key);
  record::write(out, event.envelope);
  out += event_key, out += name_of(event.event), out += data_key;
  std::visit([&](auto const& one) { record::write(out, one); }, event.event);
  out += '}';
  return out;
}

Expected<TrialEvent> decoded_event(std::string_view bytes) {
  TrialEvent made;
  record::Reader reader(bytes);
  const auto literal = [&](std::string_view expected) { return reader.literal(expected); };
  if (literal(envelope_key) && reader.read(made.envelope) && literal(event_key)) {
    const std::string_view rest = bytes.substr(reader.position());
    const std::string_view name = rest.substr(0, rest.find('"'));
    if (literal(name) && literal(data_key) && read_event(name, reader, made.event) && literal("}") && reader.done()) return made;
  }
  return fail(Code::syntax, "the bytes are no event of this build, from position {} on", reader.position());
}

StoredEvent stored(TrialEvent const& event) {
  StoredEvent made{.sequence = event.envelope.sequence, .bytes = encoded_event(event), .digest = {}};
  made.digest = sha256(made.bytes);
  return made;
}

}  // namespace equipoise::conduct
