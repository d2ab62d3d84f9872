#pragma once

#include <string>

#include "equipoise/protocol/protocol.h"
#include "equipoise/report/page.h"
#include "equipoise/results/rehearsal.h"

namespace equipoise::report {

/// What a plan is worth, as one page for people: how often each claim arises in each scenario, what each analysis does there, and
/// what was assumed. Self-contained, without any script; the same documents give the same bytes; labelled as simulated at the
/// top, in its title and across every figure. Every text of the documents is escaped. Its sentences follow from the numbers alone
/// (rehearsal/words.h).
///
/// source  Morris, White & Crowther (2019), Stat. Med. 38, 2074-2102, for what is shown and how
std::string rehearsal_page(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal, Options const& options);
/// In the first language of the protocol.
std::string rehearsal_page(protocol::Protocol const& protocol, results::Rehearsal const& rehearsal);

}  // namespace equipoise::report
