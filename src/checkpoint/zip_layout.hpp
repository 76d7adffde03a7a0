#pragma once

#include <cstdint>
#include <string_view>

/// Field sizes and signatures of zip records (APPNOTE 6.3), shared by our reader and our writer.
namespace koine::checkpoint::zip {

inline constexpr std::string_view kLocalSignature = "PK\x03\x04";
inline constexpr std::string_view kCentralSignature = "PK\x01\x02";
inline constexpr std::string_view kDescriptorSignature = "PK\x07\x08";
inline constexpr std::string_view kEndSignature = "PK\x05\x06";
inline constexpr std::string_view kEnd64Signature = "PK\x06\x06";
inline constexpr std::string_view kLocatorSignature = "PK\x06\x07";

inline constexpr std::int64_t kLocalBytes = 30;    ///< before name and extra field
inline constexpr std::int64_t kCentralBytes = 46;  ///< before name and extra field
inline constexpr std::int64_t kEndBytes = 22;
inline constexpr std::int64_t kEnd64Bytes = 56;
inline constexpr std::int64_t kLocatorBytes = 20;
inline constexpr std::int64_t kWideDescriptorBytes = 24;

inline constexpr unsigned kEncrypted = 0x0001;
inline constexpr unsigned kHasDescriptor = 0x0008;
inline constexpr unsigned kUtf8 = 0x0800;

inline constexpr std::uint16_t kZip64Extra = 0x0001;
inline constexpr std::uint16_t kSaturated16 = 0xFFFF;
inline constexpr std::uint32_t kSaturated32 = 0xFFFF'FFFF;

}  // namespace koine::checkpoint::zip
