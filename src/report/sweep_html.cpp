#include "report/sweep_html.hpp"

#include "report/html.hpp"
#include "report/sweep_answer.hpp"

namespace koine::report {
namespace {

constexpr const char* kBody = R"(<main>
<noscript><p class="note">Table and plots need JavaScript; results.csv beside this page has the same figures.</p></noscript>
<section><h2>Points</h2><div id="points" class="points"></div></section>
<div id="figure" class="controls"></div>
<div id="plots" class="plots"></div>
</main>
<dialog id="point" aria-labelledby="point-name"></dialog>
)";

/// JSON inside a script element: ASCII alone, so no U+2028, and no '<', so neither </script> nor
/// <!-- ends it. Bytes that are not UTF-8 become U+FFFD.
std::string embedded(const Json& results) {
  const std::string text = results.dump(-1, ' ', true, Json::error_handler_t::replace);
  std::string out = "<script type=\"application/json\" id=\"results\">";
  for (const char c : text) {
    if (c == '<')
      out += "\\u003c";
    else
      out += c;
  }
  return out + "</script>\n";
}

}  // namespace

std::string sweep_html(const Json& results) {
  return page_head("Koine sweep " + text_in(results, "sweep"), kSweepStyle) +
         sweep_answer(results) + kBody + embedded(results) + "<script>\n\"use strict\";\n" +
         kSweepScript + "</script></body></html>\n";
}

}  // namespace koine::report
