#include "equipoise/simulate/ledger.h"

#include <algorithm>

#include "equipoise/core/error.h"

namespace equipoise::simulate {

bool Ledger::has(std::int64_t block) const {
  const auto after = pieces_.upper_bound(block);
  return after != pieces_.begin() && block < std::prev(after)->second.end();
}

std::int64_t Ledger::done(std::int64_t begin, std::int64_t end) const {
  std::int64_t n = 0;
  for (auto const& [first, piece] : pieces_)
    n += std::max<std::int64_t>(0, std::min(end, piece.end()) - std::max(begin, first));
  return n;
}

bool Ledger::add(Piece piece) {
  expects(piece.level >= 0 && piece.level < 62 && piece.first >= 0 && piece.first % (std::int64_t(1) << piece.level) == 0,
          "a piece is a node of the tree");
  if (done(piece.first, piece.end()) > 0) return false;
  for (;;) {
    const std::int64_t width = std::int64_t(1) << piece.level;
    const bool left = piece.first / width % 2 == 0;
    const auto sibling = pieces_.find(left ? piece.first + width : piece.first - width);
    if (sibling == pieces_.end() || sibling->second.level != piece.level) break;
    Piece other = std::move(sibling->second);
    pieces_.erase(sibling);
    if (!left) std::swap(piece, other);
    piece.tally.merge(other.tally);
    ++piece.level;
  }
  const std::int64_t first = piece.first;
  pieces_.emplace(first, std::move(piece));
  return true;
}

std::vector<Ledger::Piece const*> Ledger::pieces() const {
  std::vector<Piece const*> all;
  for (auto const& [first, piece] : pieces_) all.push_back(&piece);
  return all;
}

std::optional<std::pair<std::int64_t, std::int64_t>> Ledger::gap(std::int64_t blocks) const {
  std::int64_t next = 0;
  for (auto const& [first, piece] : pieces_) {
    if (next >= blocks) break;
    if (first > next) return std::pair{next, std::min(first, blocks)};
    next = piece.end();
  }
  if (next < blocks) return std::pair{next, blocks};
  return {};
}

Tally Ledger::whole(std::int64_t blocks) const {
  expects(!gap(blocks) && extent() == blocks, "the whole is there, and nothing else");
  Tally all;
  bool first = true;
  for (auto const& [unused, piece] : pieces_) {
    if (first) all = piece.tally, first = false;
    else all.merge(piece.tally);
  }
  return all;
}

}  // namespace equipoise::simulate
