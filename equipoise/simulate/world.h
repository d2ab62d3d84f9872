#pragma once

#include <array>
#include <functional>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "equipoise/allocation/rule.h"
#include "equipoise/core/expected.h"
#include "equipoise/simulate/candidate_rules.h"
#include "equipoise/simulate/draws.h"
#include "equipoise/simulate/scenario.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// What is made to happen instead of what chance would have it: the same participants, with the same random numbers, as they
/// would have been. The true value of an estimand is a mean over such trials.
struct Forced {
  std::optional<std::size_t> arm{};  ///< everybody gets this one
  bool complete = false;             ///< nobody misses a visit or leaves the study; events, death too, happen as they do
  /// Allocates in place of the simulator's own numbers: the arm of the n-th participant (from 0) with these levels of the
  /// randomisation factors; nothing when no arm takes such a one. For trials whose allocations a vault makes.
  std::function<std::optional<std::int32_t>(std::size_t, std::span<const std::int32_t>)> const* allocate = nullptr;
};

/// Memory of one thread: what one replicate used, the next uses again.
class Workspace {
 private:
  friend class World;

  /// An entry of a form without a visit on its way to the trial.
  struct Record {
    std::uint32_t participant = 0, order = 0;
    double date = 0;
    std::array<double, 8> items{};
  };

  Draws draws_;
  Arena arena_;
  CandidateRules::Memory rules_;
  allocation::State state_;
  std::vector<std::uint32_t> candidate_, who_, index_, number_, order_, kept_, kept_who_;
  std::vector<std::uint64_t> words_;
  std::vector<std::int32_t> candidate_site_, failed_, levels_, kept_site_, kept_failed_, kept_levels_, level_, site_taken_, site_, arm_;
  std::vector<std::vector<Record>> records_;
};

/// A protocol and one of its scenarios, compiled: whole virtual trials by number. Immutable, for any thread with a workspace of
/// its own; the protocol must outlive it.
///
/// A replicate is a pure function of seed and number: asked alone or among others, it has the same bytes. All scenarios of a
/// protocol use the same random numbers for the same things, so that differences between them are differences of paired trials.
///
/// page     docs/methods/virtual_trials.md
/// checked  world_test.cpp, against closed forms
class World {
 public:
  /// errors  unresolved (no such scenario), not_available (a model of another build), every problem of the scenario and of
  ///         [randomisation], and inconsistent when next to no candidate is eligible
  static Checked<World> build(protocol::Protocol const& protocol, std::string_view scenario);
  /// The same of a scenario that stands in no file as it is: one with all that it extends, and values replaced.
  static Checked<World> build(protocol::Protocol const& protocol, protocol::MethodSection const& scenario);

  /// What is made of each trial: everything, or what somebody reads.
  struct Wanted {
    Selection cells;
    Reads reads;
  };
  Wanted wanted(Reads reads) const;

  /// `wanted`: values that nobody reads are left missing, and forms that nobody reads empty; a candidate who fails several criteria
  /// is counted at one of them, not always the first; all else is the same to the bit.
  void replicate(std::uint64_t seed, std::uint64_t number, Workspace& workspace, VirtualTrial& trial, Forced forced = {},
                 Wanted const* wanted = nullptr) const;

  Layout const& layout() const { return layout_; }
  Scenario const& scenario() const { return scenario_; }
  /// Of the arms, as [randomisation] allocates them.
  std::vector<int> const& ratio() const { return rule_->setting().ratio; }
  /// The share of candidates who meet the criteria that can be decided.
  double acceptance() const { return acceptance_; }
  /// What was assumed where the scenario does not say it, one sentence each.
  std::vector<std::string> const& notes() const { return notes_; }

 private:
  using Record = Workspace::Record;
  /// Where in the records of its form an event is written.
  struct EventSlot {
    std::size_t form = 0, code = 0, date = 0;
  };
  /// Rows of the follow-up of one trial, participants running fastest.
  struct Course {
    People people;
    double* day = nullptr;       ///< visits x stride
    double* values = nullptr;    ///< cells x stride
    double* attended = nullptr;  ///< visits x stride, 1 or 0
    double* end = nullptr;       ///< day on which participation ended; infinity: it did not
  };

  /// The days on which a visit can be, with the probability of that day or an earlier one; and for each 256th of the unit
  /// interval the first day that reaches it.
  struct DayTable {
    int first = 0;
    std::vector<double> reached;
    std::array<std::uint32_t, 256> guide{};
  };

  /// How the form of a cell takes a number: in steps (whole numbers: of 1; 0: as it is), inside its hard limits.
  struct Recording {
    std::size_t cell = 0;
    double step = 0, min = 0, max = 0;
  };

  World() = default;
  DayTable day_table(int target, std::pair<int, int> room) const;
  void lay_out();
  void note_recording();
  std::size_t form_slot(protocol::Form const* form);
  std::size_t item_slot(std::size_t form, protocol::Item const* item);
  void note_unfilled();
  bool measure_acceptance(Workspace& workspace, Problems& problems);
  bool calibrate_study_stop(Workspace& workspace, Problems& problems);

  void grow_for_candidates(Workspace& workspace, std::size_t stride) const;
  void place_candidates(Workspace& workspace, std::size_t n, double const* uniform) const;
  void draw_candidates(Workspace& workspace, std::uint32_t first, std::size_t n, People& people) const;
  void draw_days(People const& people, Draws const& draws, std::vector<std::uint8_t> const& wanted, double* day,
                 Arena& arena) const;
  void fill_items(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const;
  void fill(People const& people, Draws const& draws, Selection const& wanted, Arena& arena, double* values) const;
  void draw_in_two(Workspace& workspace, std::uint32_t first, std::size_t n, People& people) const;
  void enrol(Workspace& workspace, VirtualTrial& trial, bool in_two, Forced const& forced) const;
  Course course(Workspace& workspace, VirtualTrial const& trial, Forced forced, Selection const& wanted) const;
  void seen_values(Course const& course, double* x, Arena& arena) const;
  void leave(Course const& course, Workspace& workspace) const;
  void happen(Course const& course, Workspace& workspace) const;
  void suffer(Course const& course, Workspace& workspace) const;
  void write(Course const& course, Workspace& workspace, VirtualTrial& trial, Wanted const* wanted) const;

  protocol::Protocol const* protocol_ = nullptr;
  Scenario scenario_;
  Layout layout_;
  std::vector<std::string> notes_;
  std::optional<allocation::Rule> rule_;
  CandidateRules rules_;
  Selection of_rules_, of_first_, of_rest_, all_;
  std::vector<std::uint8_t> rest_visits_;  ///< that the rules read beyond those of the first
  double acceptance_ = 1;
  double gap_days_ = 0;               ///< mean, between candidates at all sites once all are at full rate
  std::vector<double> site_reached_;  ///< cumulative shares of the sites
  bool thinned_ = false;
  std::uint32_t most_candidates_ = 0;
  std::vector<int> target_;     ///< of each visit
  std::vector<DayTable> days_;  ///< of each visit
  std::vector<std::uint8_t> all_visits_;
  double planned_end_ = 0, horizon_ = 0;
  std::vector<std::vector<std::size_t>> item_cells_;
  std::vector<Recording> recordings_;     ///< of cells whose numbers are not taken as they are
  std::vector<std::size_t> stop_visits_;  ///< visits before which somebody can leave
  std::vector<double> stop_weeks_;        ///< since the visit before
  double stop_intercept_ = 0, stop_centre_ = 0;
  std::optional<EventSlot> stop_slot_;
  std::optional<DatedEvent> stop_event_;
  std::vector<EventSlot> event_slots_;
  std::vector<std::vector<double>> survivals_;  ///< [event][arm]: probability that it does not happen up to the horizon
  struct AdverseSlots {
    std::size_t form = 0, onset = 0;
    std::optional<std::size_t> resolved, grade, serious, related;
  } adverse_;
  std::vector<double> adverse_rate_,
      adverse_serious_;  ///< of each arm: events in the planned follow-up, and the share of serious ones
};

}  // namespace equipoise::simulate
