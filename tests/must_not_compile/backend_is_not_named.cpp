// expect: wrong number of template arguments
#include <effnet/reference.hpp>
#include <effnet/v2.hpp>

using named = effnet::network<effnet::v2_b0, effnet::reference_backend>;

#ifdef REFUSED
// No macro and no default chooses the backend: two units of a program could differ in it.
using unnamed = effnet::network<effnet::v2_b0>;
#endif

static_assert(sizeof(named*) > 0);
