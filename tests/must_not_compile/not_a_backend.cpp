// expect: constraints not satisfied
#include <effnet/reference.hpp>
#include <effnet/v2.hpp>

struct not_a_backend {};

using accepted = effnet::network<effnet::v2_b0, effnet::reference_backend>;
static_assert(sizeof(accepted*) > 0);

#ifdef REFUSED
using refused = effnet::network<effnet::v2_b0, not_a_backend>;
static_assert(sizeof(refused*) > 0);
#endif
