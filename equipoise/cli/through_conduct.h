#pragma once

#include <functional>
#include <string>
#include <vector>

#include "equipoise/server/service.h"
#include "equipoise/simulate/conduct_script.h"

/// Carries the acts of a virtual trial to a conduct service, as its people would have done.
namespace equipoise::cli {

/// The virtual people of a simulated trial: of every role one or two, at every site. Their secrets are no secrets.
std::vector<server::Opening::User> virtual_staff(protocol::Protocol const& protocol);

using AskService = std::function<Expected<std::string>(std::string const& line)>;

struct Carried {
  std::int64_t acts = 0, accepted_checks = 0;
};

/// All acts, one after the other, on the trial's clock. Soft checks that fire are accepted.
/// errors  those of the service, with the act
Expected<Carried> carry(std::vector<simulate::ScriptedAct> const& script, AskService const& ask);

/// Snapshot, signatures, lock, unblinding; then the data with the arms.
struct Finished {
  std::string csv, protocol;
};
Expected<Finished> finish(Instant at, AskService const& ask);

}  // namespace equipoise::cli
