#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/core/expected.h"

namespace equipoise::conduct {

/// Place of an event in the log of its trial, from 1 without a gap.
using Sequence = std::int64_t;

/// An event as it is stored: its bytes, which hold its sequence and the digest of the event before, and their digest.
struct StoredEvent {
  Sequence sequence = 0;
  std::string bytes;   ///< encoded TrialEvent (events.h)
  std::string digest;  ///< SHA-256 of the bytes, 64 hex
};

/// A free text that an event names by `id`, kept apart so that it can be destroyed. id = HMAC-SHA-256(key, text), so an id tells
/// nothing of its text once the key is gone too.
struct StoredText {
  std::string id;   ///< 64 hex
  std::string key;  ///< 64 hex
  std::string text;
};

/// Something that may happen once: the database holds it beside all that `decide` checks.
struct Once {
  std::string kind;  ///< "allocation", "randomised", "participant", "kit", ...
  std::string what;  ///< "trial/17", "s1-003", ...
};

/// What one command adds: everything or nothing.
struct Act {
  std::string key;      ///< of the client, so that a command that is sent again is not done again
  std::string request;  ///< digest of the command, 64 hex
  std::vector<StoredEvent> events;
  std::vector<StoredText> texts;
  std::vector<Once> once;
  std::vector<std::string> destroyed;  ///< ids of texts that are redacted
};

/// What became of a key.
struct Done {
  std::string request;
  Sequence first = 0, last = 0;
};

struct Document {
  std::string digest;  ///< SHA-256 of the bytes
  std::string bytes;
};

/// The append-only log of one trial. Every implementation in equipoise/store passes event_store_contract.h.
class EventStore {
 public:
  virtual ~EventStore() = default;

  /// Adds the whole act after position `expected`, or nothing. When it returns, the act survives a power cut. Events stand at
  /// expected + 1, expected + 2, ...; the first one's previous digest is the caller's business.
  /// errors  conflict (the log does not end at `expected`; the key is taken; something of `once` has happened; the lease has gone
  ///         to another instance), io (nothing was added, or it is not known whether: the store refuses everything from then on)
  virtual Expected<void> append(Sequence expected, Act const& act) = 0;

  virtual Sequence last() const = 0;
  /// Events after `after`, in order, one call each, until the log ends or the visitor returns false.
  virtual Expected<void> read(Sequence after, std::function<bool(StoredEvent const&)> const& visitor) const = 0;
  virtual Expected<std::optional<Done>> done(std::string_view key) const = 0;
  /// The text with its key; nothing when it has been destroyed.
  virtual Expected<std::optional<StoredText>> text(std::string_view id) const = 0;

  /// Protocol files, by digest. Written before the event that names them.
  virtual Expected<void> put(Document const& document) = 0;
  virtual Expected<std::optional<Document>> document(std::string_view digest) const = 0;

  /// Takes the lease: from now on appends of every earlier holder fail with conflict. Returns the fencing number, each time one
  /// more.
  virtual Expected<std::int64_t> take_lease() = 0;

  /// A whole copy as of now, made while the trial runs; the file appears complete or not at all.
  /// errors  io; not_available (memory)
  virtual Expected<void> backup(std::string const& path) const = 0;
};

/// The digest of an event; empty when there is none.
std::string digest_at(EventStore const& store, Sequence sequence);

/// The bytes of a protocol file that the log names.
/// errors  inconsistent: the store does not have it as it was
Expected<std::string> protocol_file(EventStore const& store, std::string_view digest);

}  // namespace equipoise::conduct
