#pragma once

#include <optional>
#include <string>
#include <vector>

#include "equipoise/core/finding.h"

/// The answer document: estimates and counts, tied to what they were computed from. Everything a report prints is read from here.
namespace equipoise::results {

/// One number with all that belongs to it.
struct Record {
  std::string analysis;  ///< id of the [[analysis]], or of the reference case
  std::optional<std::string> estimand;
  Finding finding;      ///< quantity, at, value, se, df, lower, upper, level, p, n, scale
  std::string method;   ///< keyword
  std::string options;  ///< the options in force, canonical JSON
  std::vector<std::string> footnotes;
};

/// A curve with the analysis it belongs to.
struct Curve {
  std::string analysis;
  Series series;
};

/// One analysis as it was run, for headings and the methods paragraph.
struct AnalysisRun {
  std::string id;
  std::optional<std::string> estimand;
  std::string endpoint;
  std::string set;
  std::string role;     ///< "primary", "secondary", ...
  std::string method;   ///< keyword
  std::string title;    ///< "Cox proportional hazards model"
  std::string options;  ///< canonical JSON: as given, with what follows from the question; defaults by `match` are in the notes
  std::int64_t n = 0;   ///< participants in the analysis set
  std::vector<std::string> notes;
  std::optional<std::string> problem;   ///< why there is no answer; then it has no records
  std::vector<std::string> warnings{};  ///< of a primary analysis: on what its conclusion depends
};

/// What a primary analysis says of one comparison, as planned or with another choice that its plan could have made. NaN = not
/// estimable.
struct Alternative {
  std::string analysis;  ///< id of the primary analysis
  std::string choice;    ///< "planned", "degrees_of_freedom", "covariance", "missing_data" or "analysis_set"
  std::string name;      ///< what was chosen: "kenward_roger", "ar1", "cr2", the id of another analysis
  std::string title;     ///< the same in words
  std::string arm;
  At at{};  ///< of the comparison
  double estimate = missing_number, se = missing_number, lower = missing_number, upper = missing_number, p = missing_number;
  std::optional<double> df{};
  std::optional<double> adjusted_p{};  ///< by the procedure of [multiplicity], with these P values for those of the analysis
  bool rejected = false;               ///< no difference, at the protocol's alpha
  bool differs = false;                ///< another conclusion than the planned one: on whether, or in which direction
};

/// The effect of each arm against the control in one kind of participants. NaN = not estimable.
struct SubgroupLevel {
  std::string level;  ///< code id, "true" or "false" of a flag, "60 to < 70" of a number; empty: everybody of the analysis
  struct Count {
    std::string arm;
    std::int64_t n = 0;                    ///< participants whose data the method used
    std::optional<std::int64_t> events{};  ///< of a time to event, or responses of yes or no
  };
  std::vector<Count> counts;
  struct Effect {
    std::string arm;
    Finding finding;                                        ///< as it is shown: a hazard ratio, a difference
    double estimate = missing_number, se = missing_number;  ///< on the scale of the test: of a ratio its logarithm
  };
  std::vector<Effect> effects;
  std::vector<std::string> notes{};  ///< why something is not estimable
};

/// A test that the effect is the same in all levels. NaN = not estimable.
struct Interaction {
  std::string arm;        ///< empty: all arms together
  std::string statistic;  ///< "f", "likelihood_ratio_chi_square" or "heterogeneity_chi_square"
  double value = missing_number, df = missing_number, p = missing_number;
  std::optional<double> residual_df{};
};

/// The subgroups of one analysis by one item.
struct Subgroup {
  std::string analysis;
  std::string item;  ///< "age@baseline"; empty: the one level is everybody
  std::vector<SubgroupLevel> levels;
  std::vector<Interaction> interactions{};
  std::int64_t missing = 0;  ///< participants of the analysis without a value of the item
};

/// One null hypothesis of the protocol's [multiplicity], and what the procedure made of it. NaN = not estimable.
struct Hypothesis {
  std::string id, analysis, arm;
  At at{};                             ///< where its P value stands among the analysis's records
  std::optional<double> weight{};      ///< first share of alpha, of a graph
  double p = missing_number;           ///< of the analysis, two-sided
  std::optional<double> adjusted_p{};  ///< absent: nothing is adjusted
  bool rejected = false;
  std::string quantity{};  ///< of the effect, when it has simultaneous limits
  std::optional<double> estimate{}, lower{}, upper{};
  std::vector<std::string> notes{};
};

struct Edge {
  std::string from, to;
  std::optional<double> weight;  ///< absent: epsilon, a share that goes to 0
};

/// The multiple test procedure as it was carried out.
struct Multiplicity {
  std::string method;   ///< keyword, "none" included
  double alpha = 0.05;  ///< of the family, two-sided; the simultaneous limits have level 1 - alpha
  std::vector<Hypothesis> hypotheses;
  std::vector<Edge> edges;
  std::vector<std::string> notes;
};

struct Count {
  std::string label;
  std::int64_t n = 0;
};

/// One arm's column of the participant flow. By construction randomised = completed + sum of left, and
/// each set's n = randomised - sum of its exclusions: every participant falls into exactly one box of each row.
struct FlowArm {
  std::string arm;
  std::int64_t randomised = 0;
  std::vector<Count> left;     ///< reasons for leaving early, in protocol order
  std::int64_t completed = 0;  ///< followed to the end of the study or to the data cut-off
  struct Set {
    std::string id;
    std::int64_t n = 0;
    std::vector<Count> excluded;
  };
  std::vector<Set> sets;
};

/// A row of the baseline table: one item, by arm and over all. No P values: a difference between randomised arms is chance.
struct BaselineItem {
  std::string item;
  bool categorical = false;
  /// One cell for each arm in protocol order, then one for all arms together.
  struct Cell {
    std::int64_t n = 0;  ///< with a value: the denominator of the percentages
    std::int64_t missing = 0;
    std::int64_t bounded = 0;  ///< known only as below or above a limit: not in the summaries, and not missing
    double mean = missing_number, sd = missing_number, median = missing_number;
    double lower_quartile = missing_number, upper_quartile = missing_number, min = missing_number, max = missing_number;
    std::vector<std::int64_t> counts;  ///< of each level
  };
  std::vector<std::string> levels;  ///< of a categorical item: code ids, or "true"/"false" of a flag
  std::vector<Cell> cells;
  std::vector<std::string> notes{};  ///< for the footnote: which value is the baseline value
};

struct Provenance {
  std::string version;                ///< of the binary
  std::string protocol_digest;        ///< SHA-256
  std::string data_digest;            ///< SHA-256 of the data file's bytes
  std::string data_file;              ///< its name, without folders
  std::optional<std::string> cutoff;  ///< data cut-off date, YYYY-MM-DD
  std::optional<std::uint64_t> seed;  ///< of a simulated data set
  bool simulated = false;             ///< then every page and figure says so
  std::string match;                  ///< "equipoise", "r" or "sas"
  std::vector<std::string> notes;     ///< what reading the data had to say
};

struct Results {
  Provenance provenance;
  std::vector<FlowArm> flow;
  std::vector<BaselineItem> baseline;
  std::string quartile_rule;  ///< sentence: "Quartiles by SAS definition 5."
  std::vector<AnalysisRun> runs;
  std::vector<Record> records;
  std::vector<Curve> curves;
  std::optional<Multiplicity> multiplicity{};
  std::vector<BaselineItem> exposure{};     ///< what was recorded where an intervention is given, "given@w4", visit by visit
  std::vector<Alternative> alternatives{};  ///< of the primary analyses in their order; of each choice, arm by arm
  std::vector<Subgroup> subgroups{};        ///< of the analyses in their order; of each the first is everybody
};

/// Whether an estimate is the logarithm of a ratio, to what another program's printed digits allow (1e-6, relative above 1); two that
/// are not estimable go together.
bool is_log_of(double estimate, double ratio);

/// results.json: one object, keys in a fixed order, numbers in shortest round-trip form, "NE" where not estimable, absent where
/// not given.
std::string to_json(Results const& results);

}  // namespace equipoise::results
