// synthdata/core/rendezvous.hpp: how the processes of one training run find each other: by files in a folder.
//
// SPDX-License-Identifier: MIT
#pragma once

#include <synthdata/config.hpp>

#include <string>

namespace synthdata {

/// Which rank this is, of how many, and where they meet.
struct Rendezvous {
  int rank = 0;
  int size = 1;
  std::string folder;        ///< exists and is seen by all ranks; one run at a time
  double timeout_s = 300.0;  ///< how long a rank waits for the others, here and in every later call
};

/// SYNTHDATA_RANK, SYNTHDATA_WORLD_SIZE and SYNTHDATA_RENDEZVOUS (the folder) of the environment.
/// @throws Error naming the variable that is missing or not a number in its range.
Rendezvous rendezvous_from_environment();

namespace detail {
/// What all ranks of a run have in common after they met.
struct Meeting {
  std::string run;   ///< differs from run to run: files that an earlier one left are not taken for ours
  std::string text;  ///< given by rank 0
};
/// Hands the text of rank 0 to all ranks; one line. @throws Error if ranks are missing at the end, naming them.
Meeting meet(const Rendezvous& rendezvous, const std::string& text);
/// Removes this rank's files of the meeting.
void leave(const Rendezvous& rendezvous) noexcept;

/// Tells the others of the run, or asks for, what stopped a rank; empty if nothing did.
void post_failure(const Rendezvous& rendezvous, const Meeting& meeting, const std::string& why) noexcept;
std::string posted_failure(const Rendezvous& rendezvous, const Meeting& meeting);
}  // namespace detail

}  // namespace synthdata

#if SYNTHDATA_HEADER_ONLY
#include <synthdata/core/rendezvous_impl.hpp>
#endif
