#include "recipe/method_table.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/text.hpp"
#include "recipe/problems.hpp"
#include "recipe/recipe.hpp"

namespace koine::recipe {
namespace {

const std::vector<Method>& methods() {
  static const std::vector<Method> kMethods{
      {"lors",
       true,
       true,
       true,
       false,
       {"weight", "rank", "density", "lambda"},
       {"attention", "mlp"}},
      {"svp", true, true, true, false, {"weight", "rank", "lambda"}, {"attention", "mlp"}},
      {"mp", true, false, true, false, {"weight", "density", "lambda"}, {"attention", "mlp"}},
      {"task_arithmetic", true, false, false, false, {"weight", "lambda", "normalize"}, {}},
      {"linear", false, false, false, true, {"weight", "normalize"}, {}},
  };
  return kMethods;
}

/// Methods that mergekit or the papers know and this version does not.
constexpr std::array<std::string_view, 36> kElsewhere{"ties",         "dare_linear",
                                                      "dare_ties",    "della",
                                                      "della_linear", "breadcrumbs",
                                                      "sce",          "breadcrumbs_ties",
                                                      "ram",          "ramplus_tl",
                                                      "magmax",       "emr",
                                                      "slerp",        "nuslerp",
                                                      "multislerp",   "karcher",
                                                      "nearswap",     "geometric_median",
                                                      "model_stock",  "arcee_fusion",
                                                      "passthrough",  "tsv_m",
                                                      "iso_c",        "iso_cts",
                                                      "knots",        "star",
                                                      "opcm",         "svc",
                                                      "lines",        "metagpt",
                                                      "sa_merge",     "fisher",
                                                      "regmean",      "wudi",
                                                      "tsvm",         "dare"};

}  // namespace

bool Method::uses(std::string_view parameter) const {
  return std::find(parameters.begin(), parameters.end(), parameter) != parameters.end();
}

const Method* find_method(std::string_view name) {
  const auto found = std::find_if(methods().begin(), methods().end(),
                                  [name](const Method& method) { return method.name == name; });
  return found == methods().end() ? nullptr : &*found;
}

std::vector<std::string> method_names() {
  std::vector<std::string> names;
  for (const Method& method : methods()) names.emplace_back(method.name);
  return names;
}

std::string unknown_method(std::string_view name) {
  const std::string known = fmt::format("{}", fmt::join(method_names(), ", "));
  if (std::find(kElsewhere.begin(), kElsewhere.end(), name) != kElsewhere.end()) {
    return fmt::format("merge_method '{}' is not in this version; it knows {}", name, known);
  }
  return fmt::format("unknown merge_method {}; this version knows {}{}", shown(name), known,
                     did_you_mean(name, method_names()));
}

}  // namespace koine::recipe
