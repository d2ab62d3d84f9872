#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "equipoise/core/dates.h"
#include "equipoise/expression/evaluate.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::data {

/// What happened in a trial, in the protocol's words: the same tables whether they come from a data file, the conduct log or a
/// simulator. One row a participant unless said otherwise; dates are days since 1970-01-01. Without calendar dates the day of
/// randomisation is day 0 for everybody, so that only differences of dates mean anything.
struct TrialRecords {
  std::vector<std::string> participants;  ///< ids, in the order of the data
  expression::Column site;                ///< codes; levels are site ids
  expression::Column arm;                 ///< codes; levels are the protocol's arms in order; missing = not randomised
  expression::Column arm_received;        ///< the same; empty column when the source does not say
  expression::Column randomisation;       ///< dates
  std::vector<double> follow_up_end;      ///< last day on which the participant was seen; missing = not known
  bool calendar = false;                  ///< whether dates are calendar dates
  bool follow_up_known = false;           ///< whether the source says when follow-up ended
  std::map<std::pair<std::string, std::string>, expression::Column> items;  ///< (item, visit)
  std::map<std::string, expression::Entries, std::less<>> entries;          ///< of forms without a visit
  std::optional<double> cutoff;                                             ///< data cut-off, as applied
  /// With a cut-off: the items as they were before it. A time that is an item of the data is censored at the cut-off, and for
  /// that it must be known whole; nothing else may look here.
  std::map<std::pair<std::string, std::string>, expression::Column> items_before_cutoff;
  std::vector<std::string> notes;  ///< what reading had to say, for the provenance
};

/// A column of missing values of the item's type, with its codes as levels.
expression::Column missing_item(protocol::Item const& item, std::size_t rows);

/// The records as they stood on a date: nothing later is known. Participants randomised later are not in the trial yet.
/// errors  inconsistent, when the records have no calendar dates
Expected<TrialRecords> as_of(TrialRecords records, Date cutoff, protocol::Protocol const& protocol);

/// The records as expressions see them. Keeps columns of derivations it has evaluated once. Not for several threads.
class TrialTables final : public expression::Tables {
 public:
  /// Both must outlive it.
  TrialTables(protocol::Protocol const& protocol, TrialRecords const& records) : protocol_(protocol), records_(records) {}

  std::size_t participants() const override { return records_.participants.size(); }
  std::vector<std::string> post_baseline_visits() const override;
  std::vector<std::uint8_t> attended(std::string_view visit) const override;
  expression::Column visit_date(std::string_view visit) const override;
  expression::Column variable(std::string_view name, std::optional<std::string_view> visit) const override;
  expression::Entries const& entries(std::string_view form) const override;

  protocol::Protocol const& protocol() const { return protocol_; }
  TrialRecords const& records() const { return records_; }

 private:
  expression::Column item(protocol::Item const& item, std::string_view visit) const;

  protocol::Protocol const& protocol_;
  TrialRecords const& records_;
  mutable std::map<std::pair<std::string, std::string>, expression::Column> derived_;
  mutable std::map<std::string, expression::Entries, std::less<>> form_entries_;
};

}  // namespace equipoise::data
