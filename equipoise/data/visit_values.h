#pragma once

#include <cmath>
#include <concepts>
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

/// One participant's measured responses at visits, wherever they are kept.
template <class M>
concept Measured = requires(M const& measured, std::size_t visit) {
  { measured.at(visit) } -> std::same_as<Response>;        // as measured, on the scale of the variable
  { measured.day(visit) } -> std::convertible_to<double>;  // since randomisation
  { measured.after_randomisation(visit) } -> std::convertible_to<bool>;
};

/// A response on the scale of the analysis.
Response on_scale(protocol::Endpoint const& endpoint, Response response);

/// What the strategies make of the response at a visit. Of a visit before randomisation or on its day no intercurrent event is
/// the cause. The transform of the endpoint is applied last.
template <Measured M>
Response response_at(protocol::Endpoint const& endpoint, M const& measured, std::size_t visit,
                     std::span<const Intercurrence> intercurrent) {
  using protocol::Strategy;
  Response response = measured.at(visit);
  const auto decides = measured.after_randomisation(visit) ? deciding(measured.day(visit), intercurrent) : std::nullopt;
  if (!decides) return on_scale(endpoint, response);
  response.because = decides->strategy;
  if (decides->strategy->strategy == Strategy::composite)
    return on_scale(endpoint, {composite_response(*decides->strategy), Origin::composite, decides->strategy});
  if (decides->strategy->strategy == Strategy::while_on_treatment) {
    for (std::size_t earlier = visit; earlier-- > 0 && measured.after_randomisation(earlier);)
      if (measured.day(earlier) <= decides->day)
        if (const Response last = measured.at(earlier); last.origin == Origin::measured)
          return on_scale(endpoint, {last.value, Origin::last_on_treatment, decides->strategy});
  }
  if (response.origin == Origin::measured || response.origin == Origin::beyond_limit) response.origin = Origin::not_used;
  response.value = missing_number;
  return response;
}

/// The same, and where nothing was measured the last response at an earlier visit after randomisation, if there is one.
template <Measured M>
Response carried_forward(protocol::Endpoint const& endpoint, M const& measured, std::size_t visit,
                         std::span<const Intercurrence> intercurrent) {
  Response response = response_at(endpoint, measured, visit, intercurrent);
  if (response.origin != Origin::not_measured) return response;
  for (std::size_t earlier = visit; earlier-- > 0 && measured.after_randomisation(earlier);)
    if (const Response last = response_at(endpoint, measured, earlier, intercurrent); !std::isnan(last.value))
      return {last.value, Origin::carried_forward, nullptr};
  return response;
}

/// Whether a visit lies after an intercurrent event of that day: one with a response, when it took place later; one without, when
/// it could still have taken place on that day or later (its window, days since randomisation, ends then or later).
template <Measured M>
bool is_after(M const& measured, std::size_t visit, double window_end, double event_day, bool has_response) {
  if (!measured.after_randomisation(visit)) return false;
  return has_response ? event_day < measured.day(visit) : event_day <= window_end;
}

/// The variable of an endpoint at visits, of all participants.
class VisitValues {
 public:
  /// visits   in protocol order; empty: the variable is read once, over the whole of follow-up
  VisitValues(TrialTables const& tables, protocol::Endpoint const& endpoint, std::vector<std::string> visits);

  /// See `response_at`.
  Response at(std::size_t participant, std::size_t visit, std::span<const Intercurrence> intercurrent) const;
  Response carried_forward(std::size_t participant, std::size_t visit, std::span<const Intercurrence> intercurrent) const;

  /// Days since randomisation on which the visit took place; its target day when it did not or the data do not say.
  double day(std::size_t participant, std::size_t visit) const { return days_[visit][participant]; }

  /// See `data::is_after`.
  bool is_after(std::size_t participant, std::size_t visit, double event_day, bool has_response) const;

  std::vector<std::string> const& visits() const { return visits_; }

 private:
  struct OfOne;

  Response measured(std::size_t participant, std::size_t visit) const;
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
