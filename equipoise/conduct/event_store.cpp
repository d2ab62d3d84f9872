#include "equipoise/conduct/event_store.h"

#include "equipoise/core/digest.h"

namespace equipoise::conduct {

std::string digest_at(EventStore const& store, Sequence sequence) {
  std::string digest;
  (void)store.read(sequence - 1, [&](StoredEvent const& event) { return digest = event.digest, false; });
  return digest;
}

Expected<std::string> protocol_file(EventStore const& store, std::string_view digest) {
  auto document = store.document(digest);
  if (!document) return tl::unexpected(document.error());
  if (!*document || sha256((*document)->bytes) != digest)
    return fail(Code::inconsistent, "the protocol file {} that the log names is not there as it was", digest);
  return std::move((*document)->bytes);
}

}  // namespace equipoise::conduct
