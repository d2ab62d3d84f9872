#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "equipoise/conduct/event_store.h"

/// What a log must hold after acts were appended, and the acts: all made from a seed. Kept outside of the machine that fails.
namespace equipoise::faults {

enum class Verdict {
  fine,
  lost,     ///< something that was confirmed is missing
  half,     ///< an act is there in part, or something is there that nobody appended
  corrupt,  ///< the file is damaged, or cannot be opened
};

struct Judgement {
  Verdict verdict = Verdict::fine;
  std::string why{};
  bool last_arrived = false;  ///< the act that was not confirmed is in the log, whole
};

class LogModel {
 public:
  explicit LogModel(std::uint64_t seed) : chance_(seed) {}

  /// The next act: some events, now and then texts, things that happen once, and the destruction of an earlier text.
  conduct::Act next();
  conduct::Sequence last() const { return last_; }
  std::int64_t acts() const { return std::int64_t(acts_.size()); }

  /// The act was confirmed, or is known to be in the log.
  void confirmed(conduct::Act const& act);

  /// Compares a log with what was confirmed and, if there is one, the act of which it is not known whether it was added.
  Judgement judge(conduct::EventStore const& store, std::optional<conduct::Act> const& unconfirmed) const;

  /// Words that every copy of a destroyed text holds.
  std::vector<std::string> const& destroyed_marks() const { return destroyed_marks_; }

 private:
  struct Kept {
    std::string key, request;
    conduct::Sequence first = 0, last = 0;
  };
  std::mt19937_64 chance_;
  std::int64_t made_ = 0;
  conduct::Sequence last_ = 0;
  std::vector<Kept> acts_;
  std::vector<conduct::StoredEvent> events_;
  std::map<std::string, conduct::StoredText> texts_;  // by id
  std::map<std::string, std::string> destroyed_;      // id -> mark
  std::vector<std::string> destroyed_marks_;
};

}  // namespace equipoise::faults
