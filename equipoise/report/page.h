#pragma once

#include <string>

#include "equipoise/protocol/protocol.h"
#include "equipoise/results/results.h"

/// A trial's answer as one page for people.
namespace equipoise::report {

struct Options {
  std::string language = "en";  ///< "en" or "zh"; texts of the protocol in that language where it has them
};

/// One self-contained HTML page: no request leaves it, no clock is read, the same documents give the same bytes. Complete without
/// its script, which only adds a read-out to the curves. Every text of the documents is escaped, and the page's own content
/// security policy lets no script run but that one.
std::string html(protocol::Protocol const& protocol, results::Results const& results, Options const& options = {});

}  // namespace equipoise::report
