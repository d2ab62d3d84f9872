#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "equipoise/conduct/roles.h"
#include "equipoise/core/zones.h"
#include "equipoise/protocol/protocol.h"

namespace equipoise::conduct {

/// One version of the protocol with what conduct looks up in it again and again.
class Plan {
 public:
  /// Reports what conduct cannot carry out: roles that are none, no arms, no randomisation, sites without a known time zone.
  /// bytes  of the protocol's file; its own problems are reported too
  static std::shared_ptr<const Plan> make(std::string_view bytes, std::string const& file, Problems& problems);

  protocol::Protocol const& protocol() const { return protocol_; }
  Node const& document() const { return document_; }  ///< the file as written

  /// Whether the form is filled at the visit; of a form without a visit, whether `visit` is empty.
  bool fills(std::string_view visit, std::string_view form) const;
  /// The form with a date and a code of this dated event ("death"), its code item and its date item; nothing when there is none.
  struct EventSlot {
    protocol::Form const* form;
    protocol::Item const *code, *date;
  };
  EventSlot const* event_slot(std::string_view code) const;
  /// The form of adverse events: the form without a visit that has the flag `serious`; nothing when there is none.
  protocol::Form const* adverse_event_form() const { return adverse_; }
  /// What the calendar and the clock say at the site; at no site, in UTC.
  LocalTime local(std::string_view site, Instant instant) const;
  /// Days since randomisation of the visit.
  int offset(std::string_view visit) const;

  /// Whether the role may not see the item (or derivation) at the visit, because its course hints at the arm.
  bool masked(Role role, std::string_view item, std::string_view visit) const;
  /// Whether the role may enter the item at the visit.
  bool enters(Role role, std::string_view item, std::string_view visit) const;
  /// Whether the role learns arms before the end, by the protocol's `unmasked`.
  bool unmasked(Role role) const { return has(unmasked_, role); }

 private:
  Plan(protocol::Protocol protocol, Node document) : protocol_(std::move(protocol)), document_(std::move(document)) {}
  void find_slots();
  void spread_masks(Problems& problems);

  struct MaskedFrom {
    std::set<std::string, std::less<>> items;  ///< with the derivations that read one of them
    int after = 0;                             ///< days since randomisation
    Roles roles = 0;
    std::optional<Role> entered_by{};
  };

  protocol::Protocol protocol_;
  Node document_;
  std::map<std::string, EventSlot, std::less<>> slots_;
  protocol::Form const* adverse_ = nullptr;
  std::vector<MaskedFrom> masks_;
  Roles unmasked_ = 0;
};

/// The versions of the protocol that a log names, by digest.
class Plans {
 public:
  void add(std::shared_ptr<const Plan> plan) { plans_[plan->protocol().digest] = std::move(plan); }
  Plan const* find(std::string_view digest) const {
    const auto found = plans_.find(digest);
    return found == plans_.end() ? nullptr : found->second.get();
  }

 private:
  std::map<std::string, std::shared_ptr<const Plan>, std::less<>> plans_;
};

}  // namespace equipoise::conduct
