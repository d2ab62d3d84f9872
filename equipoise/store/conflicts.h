#pragma once

#include "equipoise/conduct/event_store.h"
#include "equipoise/core/digest.h"

/// What every store says in the same words.
namespace equipoise::store {

/// The caller's promises: events at expected + 1, expected + 2, ..., each with the digest of its bytes; throws ContractViolation.
/// What is wrong from the first moment would be found when it is too late.
inline void check_promises(conduct::Sequence expected, conduct::Act const& act) {
  expects(expected >= 0, "a log starts after position 0");
  for (conduct::Sequence next = expected; conduct::StoredEvent const& event : act.events) {
    expects(event.sequence == ++next, "the events of an act follow the end of the log");
    expects(event.digest == sha256(event.bytes), "an event has the digest of its bytes");
  }
}
inline void check_promises(conduct::Document const& document) {
  expects(document.digest == sha256(document.bytes), "a document has the digest of its bytes");
}

inline auto lease_is_gone(std::int64_t mine, std::int64_t current) {
  return fail(Code::conflict, "the lease of this log has gone to another instance: number {} is in force, and this one has {}",
              current, mine);
}
inline auto log_moved(conduct::Sequence expected, conduct::Sequence last) {
  return fail(Code::conflict, "the log ends at event {}, and not at {} as the act expects: look again and decide again", last,
              expected);
}
inline auto key_is_taken(conduct::Done const& done) {
  return fail(Code::conflict, "the key of this command was used before: its act starts at event {}", done.first);
}
inline auto has_happened(conduct::Once const& once) {
  return fail(Code::conflict, "'{}' happens once, and has happened for '{}'", once.kind, once.what);
}
inline auto text_is_there(std::string const& id) { return fail(Code::conflict, "a text with the id '{}' was stored before", id); }
inline auto text_is_not_there(std::string const& id) {
  return fail(Code::conflict, "there is no text with the id '{}' to destroy: it was never stored, or is destroyed already", id);
}

}  // namespace equipoise::store
