#pragma once

#include <string>

#include "equipoise/data/trial_data.h"
#include "equipoise/simulate/virtual_trial.h"

namespace equipoise::simulate {

/// Day 0 of every virtual trial: 1 January 2000, so that nobody takes a virtual date for a real one.
inline constexpr double opening_day = 10957;

/// V0001, V0002, ...: of participants in the order of randomisation, from 0.
std::string participant_id(std::size_t i);

/// The trial's records as a data file or the conduct log would have brought them: what the analysis of a real trial reads.
/// What the protocol says of baseline is carried out, as on a file. Participants have their
/// ids.
data::TrialRecords to_records(protocol::Protocol const& protocol, Layout const& layout, VirtualTrial const& trial);

}  // namespace equipoise::simulate
