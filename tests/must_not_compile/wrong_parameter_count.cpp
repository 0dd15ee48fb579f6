// expect: the published count
#include <effnet/v2.hpp>

static_assert(effnet::count_parameters(effnet::v2_s) == 21'458'488, "the published count");

#ifdef REFUSED
static_assert(effnet::count_parameters(effnet::v2_s) == 21'458'489, "the published count");
#endif
