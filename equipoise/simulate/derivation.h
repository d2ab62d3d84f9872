#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "equipoise/core/expected.h"
#include "equipoise/data/outcome.h"
#include "equipoise/data/recipe.h"
#include "equipoise/expression/flat.h"
#include "equipoise/simulate/trial_arrays.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// `data::analysis_dataset` for virtual trials by the thousand a second: the recipe is compiled once, its rules to operations on
/// the trial's arrays, and a run fills columns that it keeps. The columns are those of `data::schema`, and their values, to the
/// last bit, those that analysis_dataset makes of the trial's records (records.h), which tests/property/derivation_test.cpp
/// holds; but participants are called 1, 2, ... in the order of randomisation.
class CompiledDerivation {
 public:
  /// Memory of the runs, one a thread and derivation: after the first run of a size nothing is allocated.
  class Scratch {
   public:
    std::size_t participants() const { return chosen_.size(); }     ///< in the analysis set, in the last run
    std::span<const std::uint32_t> who() const { return chosen_; }  ///< they, in order

   private:
    friend class CompiledDerivation;
    struct Found {
      std::uint32_t who;
      data::Intercurrence event;
    };

    TrialArrays::Filled arrays_;
    expression::flat::Workspace workspace_;
    std::vector<std::uint32_t> chosen_;
    std::vector<std::uint8_t> in_set_;
    std::vector<Found> found_;
    std::vector<data::Intercurrence> intercurrent_;  // of all, participant by participant
    std::vector<std::uint32_t> first_;               // of each participant, in `intercurrent_`
    std::vector<double> event_day_, without_;
    std::vector<std::int32_t> reason_;
    std::vector<std::vector<double>> numbers_;  // of each column
    std::vector<std::vector<std::int32_t>> codes_;
    std::vector<std::string> names_;
    std::vector<ColumnView> columns_;
  };

  /// The columns; they hold until the next run with the scratch. Nothing when analysis_dataset would refuse the trial: it says
  /// why.
  std::optional<DatasetView> run(VirtualTrial const& trial, Scratch& scratch) const;

  /// Marks what of a trial a run looks at.
  void mark(Reads& reads) const;

  Schema const& schema() const { return schema_; }
  double days_of_unit() const { return days_of_unit_; }   ///< of the column `time`
  std::size_t steps() const { return program_.steps(); }  ///< operations on columns that a run begins with

 private:
  friend Expected<CompiledDerivation> compile(protocol::Protocol const&, Layout const&, data::Recipe const&);
  friend class DerivationCompiler;

  using Output = std::size_t;  // place among the outputs of the program

  enum class Kind {
    participant,
    arm,
    model_arm,
    visit,
    time,
    event,
    left,
    right,
    response,
    ice,
    reason,
    item,
    visit_day,
    target_day
  };
  struct Column {
    Kind kind;
    std::vector<Output> from{};  // of an item: one, or one for each visit
    std::string transform{};
  };
  /// A code of an item of a form without a visit.
  struct Event {
    std::size_t form = 0, item = 0;
    double level = 0;
  };
  /// What the strategies of one estimand, or `ice`, look for.
  struct Wanted {
    protocol::Intercurrent const* strategy = nullptr;
    std::vector<Event> events{};
  };
  struct OfOne;

  explicit CompiledDerivation(TrialArrays arrays) : arrays_(std::move(arrays)) {}

  std::size_t visits() const { return target_.size(); }
  std::size_t rows_of_one() const { return recipe_.by_visit() ? visits() : 1; }
  void choose(VirtualTrial const& trial, Scratch& scratch) const;
  bool collect_intercurrent(VirtualTrial const& trial, Scratch& scratch) const;
  bool find_event_day(VirtualTrial const& trial, Scratch& scratch) const;
  bool event_times(VirtualTrial const& trial, Scratch& scratch) const;
  bool measured_times(Scratch& scratch) const;
  void responses(Scratch& scratch) const;
  void fill(Column const& column, std::size_t place, VirtualTrial const& trial, Scratch& scratch) const;
  void fill_item(Column const& column, std::size_t place, Scratch& scratch) const;
  std::span<const data::Intercurrence> intercurrent(Scratch const& scratch, std::size_t who) const;
  std::size_t place(Kind kind) const;
  template <class Take>
  void for_each_event(Wanted const& wanted, VirtualTrial const& trial, Take const& take) const;

  TrialArrays arrays_;
  data::Recipe recipe_;
  protocol::Protocol const* protocol_ = nullptr;
  protocol::Endpoint const* endpoint_ = nullptr;
  expression::flat::Program program_;
  Schema schema_;
  std::vector<Column> columns_;
  bool everybody_ = false, as_treated_ = false, event_at_visits_ = false;
  double days_of_unit_ = 1;
  Output member_ = 0, time_ = 0, event_ = 0;
  struct Seen {
    Output truth, day;
  };
  std::vector<Seen> seen_;                     // of an event at visits, by visit
  std::vector<Output> values_;                 // by visit
  std::vector<Output> scaled_;                 // their logarithms, of an endpoint on that scale
  std::vector<Output> days_;                   // of the visits read: the day on which it took place, if it did
  std::vector<std::vector<Output>> recorded_;  // of the visits read: it took place where one of these is known
  std::vector<double> target_, window_end_;    // of the visits read; infinite for a response over the whole of follow-up
  std::vector<Wanted> strategies_;             // of the estimand
  std::vector<Wanted> ice_;                    // of the column `ice`
  std::int32_t control_ = 0;                   // of the constrained baseline
};

/// The derivation for trials of the layout; protocol and layout must outlive it.
/// errors   not_available, saying what only data::analysis_dataset derives; those of data::schema
/// checked  derivation_test.cpp by hand, tests/property/derivation_test.cpp
Expected<CompiledDerivation> compile(protocol::Protocol const& protocol, Layout const& layout, data::Recipe const& recipe);

}  // namespace equipoise::simulate
