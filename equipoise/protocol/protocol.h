#pragma once

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "equipoise/core/dates.h"
#include "equipoise/core/node.h"
#include "equipoise/expression/expression.h"

/// The whole trial as one checked, immutable value.
namespace equipoise::protocol {

/// A text in one or more languages; a plain text in the file is the first language of the trial.
struct Text {
  std::vector<std::pair<std::string, std::string>> in_language;

  bool empty() const { return in_language.empty(); }
  /// In the wanted language, else in the first one given.
  std::string const& in(std::string_view language) const;
};

struct Trial {
  std::string id;
  Text title;
  std::string registry, phase, version;
  std::optional<std::int64_t> planned_participants;
  std::vector<std::string> languages{"en"};
  bool simulated = false;  ///< data of this file are not from people: labelled everywhere
};

/// What a value known only as below (above) a limit counts as where a number is needed.
enum class LimitRule { left_out, half, limit, over_root_2 };

struct Conventions {
  double alpha = 0.05;
  int sided = 2;
  double confidence = 0.95;
  std::string match = "equipoise";  ///< "r", "sas" or "equipoise": defaults on which programs differ
  double month_days = 30.4375;
  LimitRule below_limit = LimitRule::left_out, above_limit = LimitRule::left_out;  ///< of items that do not say it themselves
};

/// An amount with its UCUM unit; doses of different units do not compare.
struct Dose {
  double amount = 0;
  std::string unit;
};

enum class ArmRole { investigational, placebo_control, active_control, no_treatment };

struct Arm {
  std::string id;
  ArmRole role = ArmRole::investigational;
  Text label;
  std::optional<Dose> dose;
  Place place;
};

struct Site {
  std::string id, name, time_zone;
  std::optional<std::int64_t> cap;
  std::optional<double> planned_per_month;
};

struct Visit {
  std::string id, epoch;
  StudyDay day = StudyDay::from_offset(0);
  int days_before = 0, days_after = 0;  ///< window around the target day
  bool has_window = false;              ///< whether the file says it
  std::vector<std::string> forms;
  Text label;
  Place place;
};

/// Which of several dated values in the window of one visit counts.
enum class Nominal { closest, first, last, mean, worst };
/// Which of several values of one day counts; `refused`: two different ones are a problem of the data.
enum class SameDay { refused, mean, lowest, highest };
/// The bad end of an item.
enum class Worst { unstated, lowest, highest };

/// Which value is the baseline value: item@visit of the baseline visit.
enum class BaselineRule {
  at_visit,    ///< the visit's own
  last,        ///< the last one on or before the reference day
  mean_of_two  ///< the mean of the last two, or the only one
};
struct Baseline {
  std::string visit;  ///< empty: the protocol defines none, and item@visit is what was recorded there
  BaselineRule rule = BaselineRule::at_visit;
  std::optional<expression::Expression> until;  ///< reference day (a date); absent: the day of randomisation
};

enum class ItemKind { number, integer, code, flag, date, text };

struct CodeValue {
  std::string id;
  Text label;
};

struct Item {
  std::string id, form;
  ItemKind kind = ItemKind::number;
  Text label;
  std::string unit;                                     ///< UCUM; empty = none
  std::vector<std::pair<std::string, double>> also;     ///< other units with the factor to `unit`
  std::optional<std::pair<double, double>> hard, soft;  ///< limits
  std::optional<double> detection_limit, step;
  std::optional<LimitRule> below_limit, above_limit;  ///< absent: as [conventions] says
  Worst worst = Worst::unstated;                      ///< as the file says, or as its endpoints do
  std::optional<std::int64_t> max_length;
  bool required = false;
  std::vector<CodeValue> codes;
  Place place;
};

struct Form {
  std::string id;
  Text label;
  std::vector<Item> items;
  bool any_time = false;  ///< has no visit; may be filled again and again
  Place place;
};

struct EditCheck {
  std::string id, form, severity;
  expression::Expression rule;
  Text text;
};

struct Criterion {
  std::string id;
  bool inclusion = true;
  expression::Expression rule;
  Text text;
};

struct Derivation {
  std::string id, unit;
  Text label;
  expression::Expression rule;
  Place place;
};

struct AnalysisSet {
  std::string id;
  Text label;
  expression::Expression rule;
  bool as_treated = false;
  Place place;
};

enum class EndpointKind { continuous, binary, count, time_to_event };
enum class Benefit { unstated, higher, lower, sooner, later };

struct Endpoint {
  std::string id, level;
  Text label;
  EndpointKind kind = EndpointKind::continuous;
  Benefit benefit = Benefit::unstated;
  std::optional<expression::Expression> variable;  ///< of a continuous, binary or count endpoint
  std::vector<std::string> visits;
  std::string at;                               ///< visit of the question
  std::string transform;                        ///< "", "log", "sqrt", "fourth_root"
  std::optional<expression::Expression> event;  ///< of a time to event: first(...), every(...), or a truth beside `time`
  std::optional<expression::Expression> time;   ///< a number: the time itself is an item of the data
  std::string time_unit = "d";                  ///< of `time`: d, wk, mo, a
  bool at_visits = false;                       ///< seen only at visits, so interval censored
  std::optional<int> decimals;                  ///< with which values of a continuous endpoint are recorded
  Place place;
};

enum class Strategy { treatment_policy, hypothetical, composite, while_on_treatment, principal_stratum };

struct Intercurrent {
  std::string event;
  Strategy strategy = Strategy::treatment_policy;
  std::string handling;                                     ///< of `hypothetical`: "missing_at_random", "censored"
  std::variant<std::monostate, double, std::string> value;  ///< of `composite`
  Place place;
};

struct Estimand {
  std::string id, objective, population, set, endpoint, summary;
  std::vector<std::string> compare;
  std::string against;
  std::vector<Intercurrent> intercurrent;
  Place place;
};

/// One [[analysis]]: what every analysis has, and the section from which the method's owner reads the rest.
struct Analysis {
  std::string id, role, method;
  std::string estimand;       ///< empty when `endpoint` and `set` are named instead
  std::string endpoint, set;  ///< resolved, also through the estimand
  std::string by, after;
  Text label;
  Node section;  ///< whole table
  Place place, method_place;
};

/// What is given at visits.
struct Intervention {
  std::string id;
  Text label;
  std::vector<std::string> visits;
  std::string amount;          ///< formula for whoever prepares it, such as "dose * weight"; empty: none is stated
  int digits = 3;              ///< significant digits to which the amount is rounded
  std::optional<Dose> volume;  ///< one for all arms and weights: seen at the bedside
  std::optional<double> weight_change_confirm;  ///< relative change of weight since the last dose that needs a second look
  Place amount_place;
};

/// Values that some roles do not see after a visit, and not at it: their course hints at the arm.
struct Mask {
  std::vector<std::string> items;  ///< items and derivations
  std::string after;               ///< visit
  std::vector<std::string> roles;
  std::string entered_by;  ///< role that alone enters them; empty: whoever enters the form
};

/// A cell text of the data and what it means in the trial.
struct CellCode {
  std::string cell, meaning;
};

/// A rule on the rows of the data file.
struct RowRule {
  std::string column;
  std::optional<std::string> is;  ///< the exact cell text
};

struct SourceItem {
  std::string item, visit, column;  ///< with rows = "visits" an item without a visit is placed by the day of its row
  std::string bound;                ///< column that says whether the value is a limit: "<", ">", or nothing
  std::vector<RowRule> where;       ///< rows = "visits": the rows that hold the item
  std::vector<CellCode> codes;
  std::string unit;  ///< as recorded, if not the item's own
  Place place;
};

struct SourceEntryItem {
  std::string item, column;
  std::string constant;                  ///< a code of the item, instead of a column
  bool day_since_randomisation = false;  ///< a number of days, not a date
  std::vector<CellCode> codes;
  Place place;
};

/// Rows that become entries of a form without a visit.
struct SourceEntry {
  std::string form;
  std::vector<RowRule> where;
  std::vector<SourceEntryItem> items;
  Place place;
};

/// A file with one row a participant (after `where`), whose columns stand beside those of the data file as "as.COLUMN".
struct SourceJoin {
  std::string file, as;
  std::string by;  ///< its column of participants
  std::vector<RowRule> where;
  Place place;
};

/// [source]: how a data file's columns become the trial's items.
struct Source {
  std::string file;
  bool intervals = false;  ///< several rows a participant, each an interval at risk
  bool visits = false;     ///< several rows a participant, each what one day showed; neither: one row each
  std::string day;         ///< column of that day: a date, or whole days since randomisation
  std::string visit;       ///< column that names the visit of a row; empty: values are placed by their day
  std::vector<CellCode> visit_codes;
  std::string participant, site, arm, arm_received, randomised, follow_up;
  std::string randomisation_order;  ///< column of whole numbers: who was randomised before whom
  std::vector<CellCode> arm_codes;
  std::vector<SourceJoin> joins;
  std::string interval_start, interval_stop;
  std::vector<SourceItem> items;
  std::vector<SourceEntry> entries;
  std::vector<std::string> missing;  ///< cell texts that mean missing, beside the empty cell
  std::string note;                  ///< origin and licence, printed in the report's provenance
  Place place;
};

/// A section whose method belongs to a room: its keyword and the table to read.
struct MethodSection {
  std::string method;
  Node section;
  Place place;
};

enum class Direction { either, up, down, better, worse };

/// One condition of a claim: that another claim holds, or what a P value of an analysis is.
struct ClaimPart {
  std::string claim;  ///< empty, or the id of an earlier claim; then only `negated` counts besides
  std::string analysis;
  std::vector<std::string> arms;            ///< of which arms the analysis speaks
  bool every = true;                        ///< of every one of them, or of some
  double p = 0.05;                          ///< two-sided
  bool p_included = false;                  ///< at most p, or below it
  Direction direction = Direction::either;  ///< of the estimate, or of the benefit that the endpoint states
  bool negated = false;
};

/// [[claim]]: a way of reading the results, of which a rehearsal counts how often it arises.
struct Claim {
  std::string id;
  Text label;
  std::vector<ClaimPart> all;  ///< holds when all of them hold
  Place place;
};

/// A factor of [randomisation]: the site, or what its rule says of a participant.
struct RandomisationFactor {
  std::string id;
  std::optional<expression::Expression> rule;  ///< a truth or a code; absent: the site
  Place place;                                 ///< of the rule, or of the id
};

/// Decimals of the tables that describe participants; absent: as many as the data call for.
struct TableDecimals {
  std::optional<int> percent, mean, sd;
  std::optional<int> median;  ///< and quartiles
  std::optional<int> range;   ///< minimum and maximum
};

/// [report]: what the report shows, in the protocol's order.
struct ReportPlan {
  Text title;
  std::vector<std::string> sections;  ///< empty: all
  std::vector<std::string> baseline;  ///< items of the baseline table, "age@baseline" or "site"
  TableDecimals decimals;
};

struct Protocol {
  std::string file;       ///< as opened, for messages
  std::string digest;     ///< SHA-256 of the canonical form
  std::string canonical;  ///< the canonical form
  Trial trial;
  Conventions conventions;
  std::vector<Arm> arms;
  std::vector<Intervention> interventions;
  std::vector<Site> sites;
  std::vector<std::string> epochs;
  std::vector<Visit> visits;
  std::vector<Form> forms;
  std::vector<std::string>
      ends_participation;  ///< codes of dated events after which a participant is gone; the default is filled in
  Nominal nominal = Nominal::closest;
  SameDay same_day = SameDay::refused;
  Baseline baseline;
  std::optional<double> follow_up_days;  ///< planned end of follow-up, days since randomisation
  std::vector<EditCheck> edit_checks;
  std::vector<Criterion> criteria;
  std::vector<Derivation> derivations;
  std::vector<AnalysisSet> sets;
  std::vector<Endpoint> endpoints;
  std::vector<Estimand> estimands;
  std::vector<Analysis> analyses;
  std::vector<MethodSection> scenarios;  ///< `method` holds the model
  std::vector<Claim> claims;
  std::optional<MethodSection> randomisation, multiplicity, design;
  std::optional<MethodSection> rehearsal, monitoring;  ///< without a keyword: how the trial is rehearsed; its looks
  std::vector<RandomisationFactor> randomisation_factors;
  std::string blinding;  ///< "open", "single", "double"
  std::vector<std::string> unmasked_roles;
  std::vector<Mask> masks;
  std::optional<Source> source;
  ReportPlan report;

  Arm const* arm(std::string_view id) const;
  Form const* form(std::string_view id) const;
  Item const* item(std::string_view id) const;  ///< item ids are unique over the forms
  Visit const* visit(std::string_view id) const;
  Endpoint const* endpoint(std::string_view id) const;
  Estimand const* estimand(std::string_view id) const;
  AnalysisSet const* set(std::string_view id) const;
  Derivation const* derivation(std::string_view id) const;
  Arm const* control() const;  ///< the first arm that is not investigational
};

}  // namespace equipoise::protocol
