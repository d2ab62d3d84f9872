#pragma once

#include <array>
#include <string>
#include <vector>

#include "equipoise/expression/flat.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// A virtual trial as the arrays that flat expressions read. Dates are counted from a participant's own randomisation, so that
/// the records of the trial (records.h), less the day of randomisation, are these numbers.
class TrialArrays {
 public:
  explicit TrialArrays(Layout const& layout);

  /// Numbers of the arrays.
  std::uint32_t cell(std::size_t cell) const { return std::uint32_t(cell); }
  std::uint32_t visit_day(std::size_t visit) const { return std::uint32_t(cells_ + visit); }
  std::uint32_t arm() const { return std::uint32_t(cells_ + visits_); }
  std::uint32_t site() const { return arm() + 1; }
  std::uint32_t randomisation() const { return arm() + 2; }  ///< days since 1970-01-01
  std::uint32_t entry_date(std::size_t form) const { return first_of_form_[form]; }
  std::uint32_t entry_item(std::size_t form, std::size_t item) const { return std::uint32_t(first_of_form_[form] + 1 + item); }

  /// What a run reads. Arrays that a virtual trial keeps as whole numbers are copied into doubles.
  class Filled {
   public:
    expression::flat::Rows rows() const { return rows_; }

   private:
    friend class TrialArrays;
    std::vector<double const*> arrays_;
    std::vector<expression::flat::Rows::Entries> entries_;
    std::array<std::vector<double>, 3> copies_;
    expression::flat::Rows rows_;
  };
  void fill(VirtualTrial const& trial, Filled& filled) const;

 private:
  std::size_t cells_ = 0, visits_ = 0, arrays_ = 0;
  std::vector<std::uint32_t> first_of_form_;
  std::vector<std::size_t> items_;  // of each form
};

/// The names of a protocol in these arrays. Derivations are rules to open; baseline is what the protocol says it is.
class TrialNames final : public expression::flat::Resolver {
 public:
  /// All must outlive it.
  TrialNames(protocol::Protocol const& protocol, Layout const& layout, TrialArrays const& arrays, expression::flat::Graph& graph);

  std::vector<std::string> post_baseline_visits() override;
  Visit visit(std::string_view id) override;
  Variable variable(std::string_view name, std::optional<std::string_view> visit) override;
  Form form(std::string_view id) override;
  Variable entry_item(std::string_view form, std::string_view item) override;
  expression::flat::Node calendar_day(double day) override;

  /// What may be recorded at a visit.
  std::vector<expression::flat::Node> recorded(std::string_view visit);

  /// Why the baseline of the protocol cannot be put flat, if it cannot.
  std::optional<std::string> const& why_not() const { return why_not_; }

 private:
  using Node = expression::flat::Node;

  bool placed(protocol::Item const& item, std::string_view visit) const;
  Node cell(protocol::Item const& item, std::optional<std::size_t> visit);
  Node at(protocol::Item const& item, std::optional<std::string_view> visit);
  Node baseline_of(protocol::Item const& item);
  std::optional<Node> reference_day();
  std::size_t place_of(std::string_view visit) const;

  protocol::Protocol const& protocol_;
  Layout const& layout_;
  TrialArrays const& arrays_;
  expression::flat::Graph& graph_;
  bool baseline_known_ = true;  // false while the reference day is compiled: it is read before baseline is placed
  std::optional<std::optional<Node>> reference_;
  std::optional<std::string> why_not_;
};

}  // namespace equipoise::simulate
