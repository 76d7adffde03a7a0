#pragma once

#include <string>
#include <string_view>

namespace koine::report {

/// What the build embeds from src/report/page/ (cmake/KoineEmbed.cmake).
extern const char* const kCommonStyle;
extern const char* const kSweepStyle;
extern const char* const kSweepScript;

/// Text as it has to stand in HTML, in attributes too.
[[nodiscard]] std::string escape_html(std::string_view text);

/// A page from <!doctype> to <body>: the shared style, then `style`. It forbids itself any network.
/// @pre `style` has no </style
[[nodiscard]] std::string page_head(std::string_view title, std::string_view style = {});

}  // namespace koine::report
