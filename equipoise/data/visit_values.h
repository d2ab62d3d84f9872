#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "equipoise/data/outcome.h"
#include "equipoise/data/trial_data.h"

/// Responses of a continuous, binary or count endpoint: at a visit, at each of several, or over the whole of follow-up.
namespace equipoise::data {

/// How a response came about.
enum class Origin : std::uint8_t {
  measured,
  not_measured,
  not_due,            ///< the visit lies after the data cut-off
  beyond_limit,       ///< known only as below or above a limit, and the protocol has no number for it
  off_scale,          ///< has no logarithm or root
  composite,          ///< the number of a composite strategy
  not_used,           ///< after an intercurrent event with the hypothetical strategy
  last_on_treatment,  ///< of an earlier visit: the last one up to the intercurrent event
  carried_forward     ///< of an earlier visit, because there is none at this one
};

struct Response {
  double value = missing_number;  ///< on the scale of the analysis
  Origin origin = Origin::not_measured;
  protocol::Intercurrent const* because = nullptr;  ///< the intercurrent event whose strategy decided
};

/// The variable of an endpoint at visits, and what the strategies make of it. The transform of the endpoint is applied last.
class VisitValues {
 public:
  /// visits   in protocol order; empty: the variable is read once, over the whole of follow-up
  VisitValues(TrialTables const& tables, protocol::Endpoint const& endpoint, std::vector<std::string> visits);

  /// Of a visit before randomisation or on its day no intercurrent event is the cause.
  Response at(std::size_t participant, std::size_t visit, std::span<const Intercurrence> intercurrent) const;

  /// The same, and where nothing was measured the last response at an earlier visit after randomisation, if there is one.
  Response carried_forward(std::size_t participant, std::size_t visit, std::span<const Intercurrence> intercurrent) const;

  /// Days since randomisation on which the visit took place; its target day when it did not or the data do not say.
  double day(std::size_t participant, std::size_t visit) const { return days_[visit][participant]; }

  /// Whether a visit lies after an intercurrent event of that day: one with a response, when it took place later; one without,
  /// when it could still have taken place on that day or later (its window ends then or later).
  bool is_after(std::size_t participant, std::size_t visit, double event_day, bool has_response) const;

  std::vector<std::string> const& visits() const { return visits_; }

 private:
  Response measured(std::size_t participant, std::size_t visit) const;
  Response on_scale(Response response) const;
  bool after_randomisation(std::size_t visit) const { return visits_.empty() || target_[visit] > 0; }

  TrialTables const& tables_;
  protocol::Endpoint const& endpoint_;
  std::vector<std::string> visits_;
  std::vector<double> target_, window_end_;  // days since randomisation
  std::vector<std::vector<double>> days_;    // by visit, then participant
  std::vector<expression::Column> values_;   // by visit
};

/// Counts how responses came about, for the footnote.
class ResponseTally {
 public:
  /// by_visit        whether each of the visits is a row of its own; else the last of them is the question
  /// carry_forward   whether the analysis carries the last response forward
  ResponseTally(protocol::Protocol const& protocol, protocol::Endpoint const& endpoint, std::vector<std::string> visits,
                bool by_visit, bool carry_forward);

  /// One call for each response of the analysis, participant by participant.
  void add(std::size_t participant, Response const& response);
  /// Sentences; of several visits also how many of the planned responses there are.
  std::vector<std::string> notes() const;

 private:
  struct Touched {
    std::int64_t responses = 0, participants = 0;
    std::optional<std::size_t> last{};  // participant
    void add(std::size_t participant);
  };

  std::string visit_label(std::string const& visit) const;
  void strategies(std::vector<std::string>& notes) const;
  void scale(std::vector<std::string>& notes) const;

  protocol::Protocol const& protocol_;
  protocol::Endpoint const& endpoint_;
  std::vector<std::string> visits_;
  bool by_visit_, carry_forward_;
  std::int64_t responses_ = 0;
  Touched all_, there_, not_due_, beyond_limit_, off_scale_, carried_;
  std::vector<std::pair<protocol::Intercurrent const*, Touched>> decided_;
};

/// The words of an intercurrent event in the first language of the trial.
std::string event_label(protocol::Protocol const& protocol, std::string const& event);

}  // namespace equipoise::data
