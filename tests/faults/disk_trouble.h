#pragma once

/// A disk that fails when it is told to, under this whole process: fsync, fdatasync and writes to plain files are ours
/// (disk_trouble.cpp), and pass everything on until trouble comes.
namespace equipoise::faults {

/// SIGUSR1: the next sync fails. SIGUSR2: the disk is full for a fifth of a second.
void listen_for_trouble();

}  // namespace equipoise::faults
