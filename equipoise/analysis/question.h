#pragma once

#include <string>
#include <vector>

#include "equipoise/protocol/protocol.h"

namespace equipoise::analysis {

/// Whom an analysis compares, against whom, and at which visit the question is asked ("": at none). Without an estimand every
/// other arm is compared with the first that is not investigational.
struct Question {
  std::vector<std::string> arms;
  std::string control, visit;
};
Question question_of(protocol::Protocol const& protocol, protocol::Analysis const& analysis);
/// Of the [[analysis]] with that id, which there is.
Question question_of(protocol::Protocol const& protocol, std::string const& id);

}  // namespace equipoise::analysis
