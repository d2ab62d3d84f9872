#include "equipoise/analysis/question.h"

#include <algorithm>

namespace equipoise::analysis {

Question question_of(protocol::Protocol const& protocol, protocol::Analysis const& analysis) {
  Question question;
  if (const protocol::Estimand* estimand = protocol.estimand(analysis.estimand)) {
    question.arms = estimand->compare;
    question.control = estimand->against;
  } else {
    question.control = protocol.control() ? protocol.control()->id : protocol.arms.front().id;
    for (protocol::Arm const& arm : protocol.arms)
      if (arm.id != question.control) question.arms.push_back(arm.id);
  }
  if (const protocol::Endpoint* endpoint = protocol.endpoint(analysis.endpoint)) question.visit = endpoint->at;
  return question;
}

Question question_of(protocol::Protocol const& protocol, std::string const& id) {
  return question_of(protocol, *std::ranges::find(protocol.analyses, id, &protocol::Analysis::id));
}

}  // namespace equipoise::analysis
