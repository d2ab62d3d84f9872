#include "equipoise/analysis/options.h"

#include <algorithm>

namespace equipoise::analysis {

Node with_options(Node const& options, Node::Table const& changes) {
  Node::Table members = *options.table();
  for (Node::Member const& change : changes) {
    const auto found = std::ranges::find(members, change.key, &Node::Member::key);
    if (found == members.end()) members.push_back(change);
    else found->value = change.value;
  }
  return Node(Node::Value(std::move(members)), options.place());
}

}  // namespace equipoise::analysis
