#pragma once

#include <string>
#include <vector>

#include "equipoise/core/section.h"

namespace equipoise {

/// One key that a reader asked a table for.
struct SectionAsk {
  Place table;  ///< of the table, which names it within one document
  std::string key;
  bool needed = false;               ///< its absence is a problem
  Limits limits{};                   ///< of a number
  std::vector<std::string> words{};  ///< of a closed vocabulary, known when the value was none of them
};

/// While one lives, every Section of this thread writes down what it is asked for: so that the schema of a format is what its
/// readers ask, and no second list. They do not nest.
class SectionRecord {
 public:
  SectionRecord();
  SectionRecord(SectionRecord const&) = delete;
  SectionRecord& operator=(SectionRecord const&) = delete;
  ~SectionRecord();

  std::vector<SectionAsk> const& asks() const { return asks_; }

  /// The record of this thread, if there is one.
  static SectionRecord* current();
  void note(SectionAsk ask) { asks_.push_back(std::move(ask)); }

 private:
  std::vector<SectionAsk> asks_;
};

}  // namespace equipoise
