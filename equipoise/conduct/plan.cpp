#include "equipoise/conduct/plan.h"

#include <algorithm>

#include "equipoise/core/text.h"
#include "equipoise/protocol/load.h"

namespace equipoise::conduct {

using protocol::ItemKind;

std::shared_ptr<const Plan> Plan::make(std::string_view bytes, std::string const& file, Problems& problems) {
  const std::size_t before = problems.size();
  protocol::Loaded loaded = protocol::load_all(bytes, file);
  problems.insert(problems.end(), loaded.problems.begin(), loaded.problems.end());
  if (problems.size() > before) return nullptr;
  std::shared_ptr<Plan> plan(new Plan(std::move(loaded.protocol), std::move(loaded.document)));
  protocol::Protocol const& p = plan->protocol_;
  const auto need = [&](bool there, std::string_view what) {
    if (!there)
      add_problem(problems, {.file = p.file}, Code::missing_key, "a trial that is conducted needs {}, and the protocol has none", what);
  };
  need(p.randomisation.has_value(), "[randomisation]");
  need(!p.arms.empty(), "arms ([[arm]])");
  need(!p.sites.empty(), "sites ([sites])");
  need(!p.visits.empty(), "visits ([schedule])");
  for (protocol::Site const& site : p.sites)
    if (const auto zone = local_time(Instant{}, site.time_zone); !zone)
      add_problem(problems, {.file = p.file}, Code::unresolved, "site '{}': {}", site.id, zone.error().message).hint = zone.error().hint;
  for (std::string const& name : p.unmasked_roles) {
    const auto role = to_role(name);
    if (role) plan->unmasked_ = Roles(plan->unmasked_ | set_of({*role}));
    else
      add_problem(problems, {.file = p.file}, Code::unknown_keyword, "'unmasked' of [blinding] names the role '{}', and there is none",
                  name)
          .hint = "roles are " + one_of(role_words(), "and");
  }
  plan->find_slots();
  plan->spread_masks(problems);
  return problems.size() == before ? plan : nullptr;
}

void Plan::find_slots() {
  for (protocol::Form const& form : protocol_.forms) {
    if (!form.any_time) continue;
    const auto date = std::ranges::find(form.items, ItemKind::date, &protocol::Item::kind);
    if (std::ranges::any_of(form.items, [](protocol::Item const& item) { return item.id == "serious" && item.kind == ItemKind::flag; }))
      adverse_ = &form;
    if (date == form.items.end()) continue;
    for (protocol::Item const& item : form.items)
      if (item.kind == ItemKind::code)
        for (protocol::CodeValue const& code : item.codes) slots_.try_emplace(code.id, EventSlot{&form, &item, &*date});
  }
}

void Plan::spread_masks(Problems& problems) {
  for (protocol::Mask const& mask : protocol_.masks) {
    MaskedFrom& made = masks_.emplace_back();
    made.items.insert(mask.items.begin(), mask.items.end());
    made.after = offset(mask.after);
    const auto role_of = [&](std::string const& name) {
      const auto role = to_role(name);
      if (!role)
        add_problem(problems, {.file = protocol_.file}, Code::unknown_keyword, "'mask_from' names the role '{}', and there is none", name)
            .hint = "roles are " + one_of(role_words(), "and");
      return role;
    };
    for (std::string const& name : mask.roles)
      if (const auto role = role_of(name)) made.roles = Roles(made.roles | set_of({*role}));
    if (!mask.entered_by.empty()) made.entered_by = role_of(mask.entered_by);
    // What is derived from a masked item tells the item.
    for (bool more = true; more;) {
      more = false;
      for (protocol::Derivation const& derivation : protocol_.derivations)
        for (std::string const& variable : derivation.rule.variables())
          if (made.items.contains(std::string_view(variable).substr(0, variable.find('@'))))
            more |= made.items.insert(derivation.id).second;
    }
  }
}

bool Plan::fills(std::string_view visit, std::string_view form) const {
  if (visit.empty()) {
    protocol::Form const* one = protocol_.form(form);
    return one && one->any_time;
  }
  protocol::Visit const* one = protocol_.visit(visit);
  return one && std::ranges::find(one->forms, form) != one->forms.end();
}

Plan::EventSlot const* Plan::event_slot(std::string_view code) const {
  const auto found = slots_.find(code);
  return found == slots_.end() ? nullptr : &found->second;
}

LocalTime Plan::local(std::string_view site, Instant instant) const {
  const auto one = std::ranges::find(protocol_.sites, site, &protocol::Site::id);
  const auto there = local_time(instant, one == protocol_.sites.end() ? "" : one->time_zone);
  expects(there.has_value(), "the zones of a plan are known");
  return *there;
}

int Plan::offset(std::string_view visit) const {
  protocol::Visit const* one = protocol_.visit(visit);
  return one ? one->day.offset() : 0;
}

bool Plan::masked(Role role, std::string_view item, std::string_view visit) const {
  return std::ranges::any_of(masks_, [&](MaskedFrom const& mask) {
    return has(mask.roles, role) && mask.items.contains(item) && (visit.empty() || offset(visit) > mask.after);
  });
}

bool Plan::enters(Role role, std::string_view item, std::string_view visit) const {
  return std::ranges::none_of(masks_, [&](MaskedFrom const& mask) {
    return mask.entered_by && *mask.entered_by != role && mask.items.contains(item) && (visit.empty() || offset(visit) > mask.after);
  });
}

}  // namespace equipoise::conduct
