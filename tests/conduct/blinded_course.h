#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/conduct/trial.h"

/// One course of a trial in which everything happens that could tell an arm, for one world or for several at once.
namespace equipoise::conducted {

/// How the course asks. Each answer is what the world says, or the first of several.
struct Asking {
  std::function<Json(std::string const& user, std::string const& command, Json data, std::string const& reason)> act;
  std::function<Json(std::string const& user, std::string const& view, Json data)> look;
  std::function<void(std::chrono::milliseconds)> wait;
  std::function<std::string()> today;
};

/// What unblinded people learnt on the way.
struct Course {
  std::vector<std::string> who;  ///< participants, in order of their allocations
  Json lot{};                    ///< the answer to the one who labelled the kits
  Json unblinded{};              ///< the answer to the physician who unblinded the first participant
};

/// Allocations at three sites, kits, doses by weight, stock that runs out, refusals, an unblinding, every view and extract of
/// every role.
Course conduct_course(Asking const& ask, int participants = 9);

/// Whether a user of the course is blinded: by the role that the name begins with.
bool is_blinded(std::string const& user);

/// What a careless program might do.
enum class Leak { none, kit_order, file_name, log_line, extra_event };
/// What would then stand where blinded people see it.
std::string leaked(Leak leak, Course const& course);

/// All exchanges of three arms that are not the identity.
std::vector<std::vector<std::int32_t>> exchanges();

}  // namespace equipoise::conducted
