#pragma once

#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "checkpoint/pickle.hpp"

/// What torch's own names mean: the parts of the stack machine that know torch, not pickle.
namespace koine::checkpoint::pickle {

/// Something in a pickle that is refused; the machine adds file and byte.
class Fault : public std::runtime_error {
 public:
  explicit Fault(const std::string& reason) : std::runtime_error(reason) {}
};

/// The token of `module.name`, or nothing: the allow-list.
[[nodiscard]] std::optional<Token> allowed(std::string_view module, std::string_view name);

/// The storage that a persistent id ("storage", class, key, location, numel) stands for.
/// @throws Fault where it is anything else
[[nodiscard]] Storage storage_of(const Document& document, Ref persistent_id);

/// torch.Size(tuple) and _rebuild_parameter(tensor, requires_grad, hooks) give back what they are
/// given; nothing for other tokens. @throws Fault where an argument has another type
[[nodiscard]] std::optional<Ref> passed_through(const Document& document, const Token& token,
                                                const Tuple& arguments);

/// The value of `token(*arguments)` for the other tokens. May add a tensor to the document.
/// @throws Fault where the token cannot be called, an argument has another type or a view leaves
/// its storage
[[nodiscard]] Value call(Document& document, const Token& token, const Tuple& arguments);

}  // namespace koine::checkpoint::pickle
