#pragma once

#include <cstddef>
#include <string>

// Stand-ins for the functions of cuBLASLt and cuDNN that effnet calls: compiled against the real
// headers and linked in the place of the libraries, they do on the processor's memory what is
// documented. What they were not written for they answer with an error.
namespace effnet::testing::stand_in {

/// What the libraries were asked for, and how they are to behave.
struct state {
  std::size_t products = 0;      ///< that ran on cuBLASLt
  std::size_t convolutions = 0;  ///< that ran on cuDNN
  int descriptions = 0;          ///< that cuDNN holds, handles among them
  bool no_algorithm = false;     ///< none is found
  std::size_t workspace = 1000;  ///< bytes that algorithms ask for, and write all over
  std::string refused;           ///< what the last error was about
};
inline state library;

/// Types of numbers in memory.
enum class number { f32, bf16, f16 };
float load(number type, const void* from, std::size_t i);
void store(number type, void* to, std::size_t i, float value);

/// Nothing but what is written behind it may be read in a workspace.
void spoil(void* workspace, std::size_t bytes);

}  // namespace effnet::testing::stand_in
