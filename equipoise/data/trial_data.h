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

/// Values of one item as they were dated: before they are placed in visits. One a participant and day, sorted by participant,
/// then day.
struct Readings {
  std::vector<std::size_t> participant{};
  std::vector<double> day{};  ///< day numbers
  expression::Column value{};
};

/// What a rule of the protocol did to one value: bits of `TrialRecords::marks`.
namespace mark {
inline constexpr std::uint8_t several = 1;        ///< chosen among several values in the window
inline constexpr std::uint8_t day_of_many = 2;    ///< one day had several values, made one
inline constexpr std::uint8_t limit_in_mean = 4;  ///< a value beyond a limit entered a mean as the number that the rule gives
inline constexpr std::uint8_t from_before = 8;    ///< the baseline value is not that of the baseline visit
inline constexpr std::uint8_t mean_of_two = 16;   ///< the baseline value is a mean
}  // namespace mark

/// What happened in a trial, in the protocol's words: the same tables whether they come from a data file, the conduct log or a
/// simulator. One row a participant unless said otherwise; dates are days since 1970-01-01. Without calendar dates the day of
/// randomisation is day 0 for everybody, so that only differences of dates mean anything.
struct TrialRecords {
  std::vector<std::string> participants;      ///< ids, in the order of the data
  expression::Column site;                    ///< codes; levels are site ids
  expression::Column arm;                     ///< codes; levels are the protocol's arms in order; missing = not randomised
  expression::Column arm_received;            ///< the same; empty column when the source does not say
  expression::Column randomisation;           ///< dates
  std::vector<double> randomisation_order{};  ///< who was randomised before whom; empty when the source does not say
  std::vector<double> follow_up_end;          ///< last day on which the participant was seen; missing = not known
  bool calendar = false;                      ///< whether dates are calendar dates
  bool follow_up_known = false;               ///< whether the source says when follow-up ended
  std::map<std::pair<std::string, std::string>, expression::Column> items;  ///< (item, visit)
  std::map<std::string, expression::Entries, std::less<>> entries;          ///< of forms without a visit
  /// Dated values, with rows = "visits" and no visit named; `items` holds what the protocol's rules made of them (see windows.h).
  std::map<std::string, Readings, std::less<>> readings;
  std::map<std::pair<std::string, std::size_t>, std::vector<double>> days_of_many;  ///< (item, participant): sorted days
  std::map<std::string, std::vector<double>, std::less<>> visit_days;  ///< the day on which a visit took place, where known
  std::map<std::pair<std::string, std::string>, std::vector<std::uint8_t>> marks;  ///< (item, visit): see `mark`
  std::map<std::string, std::vector<std::uint32_t>, std::less<>> outside;          ///< item: values in no window
  std::optional<double> cutoff;                                                    ///< data cut-off, as applied
  /// With a cut-off: the items as they were before it. A time that is an item of the data is censored at the cut-off, and for
  /// that it must be known whole; nothing else may look here.
  std::map<std::pair<std::string, std::string>, expression::Column> items_before_cutoff;
  std::vector<std::string> notes;  ///< what reading had to say, for the provenance
};

/// The number that a value beyond a limit counts as by the protocol's rule: half the limit, the limit, or the limit over the
/// square root of two; nothing for other values, or when the rule leaves such values out.
std::optional<double> counted_as(expression::Interval const& value, protocol::Item const& item,
                                 protocol::Conventions const& conventions);

/// A column of missing values of the item's type, with its codes as levels.
expression::Column missing_item(protocol::Item const& item, std::size_t rows);

/// The records as they stood on a date: nothing later is known. Participants randomised later are not in the trial yet.
/// errors  inconsistent, when the records have no calendar dates
Expected<TrialRecords> as_of(TrialRecords records, Date cutoff, protocol::Protocol const& protocol);

/// How expressions see a value known only as beyond a limit: as the bound that it is, or as the number that the protocol's rule
/// gives it. A truth about such a value is always that of the bound: "<20" is below 50, whatever it counts as in a mean.
enum class Limits { as_bounds, as_numbers };

/// The records as expressions see them. Keeps columns of derivations it has evaluated once. Not for several threads.
class TrialTables final : public expression::Tables {
 public:
  /// Both must outlive it.
  TrialTables(protocol::Protocol const& protocol, TrialRecords const& records) : protocol_(protocol), records_(records) {}
  /// The same records with numbers in place of bounds, where the protocol has a rule.
  TrialTables(TrialTables const& bounds, Limits limits)
      : protocol_(bounds.protocol_), records_(bounds.records_), bounds_(limits == Limits::as_numbers ? &bounds : nullptr) {}

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
  /// With numbers in place of bounds, when that is how these tables look at them.
  expression::Column measured(protocol::Item const& item, std::string_view visit) const;

  protocol::Protocol const& protocol_;
  TrialRecords const& records_;
  TrialTables const* bounds_ = nullptr;  ///< with numbers in place of bounds: the tables that show the bounds
  mutable std::map<std::pair<std::string, std::string>, expression::Column> derived_;
  mutable std::map<std::string, expression::Entries, std::less<>> form_entries_;
};

}  // namespace equipoise::data
