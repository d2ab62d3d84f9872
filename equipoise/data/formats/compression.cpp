#include <zlib.h>

#include <algorithm>

#include "equipoise/data/formats/dataset_json.h"

namespace equipoise::data {

bool is_compressed(std::string_view bytes) {
  if (bytes.size() < 2) return false;
  const auto first = static_cast<unsigned char>(bytes[0]), second = static_cast<unsigned char>(bytes[1]);
  if (first == 0x1F && second == 0x8B) return true;
  return (first & 0x0F) == 8 && first >> 4 <= 7 && (first * 256 + second) % 31 == 0;  // RFC 1950
}

Expected<std::string> inflated(std::string_view bytes, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK) return fail(Code::failure, "zlib could not be started");
  std::string out;
  int status = Z_OK;
  constexpr std::size_t piece = std::size_t(1) << 30;  // zlib counts in 32 bits
  while (true) {
    if (stream.avail_in == 0 && !bytes.empty()) {
      const std::size_t next = std::min(bytes.size(), piece);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = uInt(next);
      bytes.remove_prefix(next);
    }
    const std::size_t have = out.size(), more = std::clamp<std::size_t>(have, 1 << 16, 1 << 26);
    out.resize(have + more);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = uInt(more);
    status = inflate(&stream, Z_NO_FLUSH);
    out.resize(have + more - stream.avail_out);
    if (out.size() > most) {
      inflateEnd(&stream);
      return fail(Code::out_of_range, "the compressed file holds more than {} bytes", most);
    }
    if (status == Z_STREAM_END || (status != Z_OK && status != Z_BUF_ERROR)) break;
    if (stream.avail_in == 0 && bytes.empty() && stream.avail_out != 0)
      break;  // nothing more to take in, and nothing left to give
  }
  const bool rest = stream.avail_in != 0 || !bytes.empty();
  const std::string said = stream.msg ? stream.msg : "";
  inflateEnd(&stream);
  if (status == Z_STREAM_END && rest) return fail(Code::syntax, "bytes follow the end of the compressed stream");
  if (status == Z_STREAM_END) return out;
  if (status == Z_OK || status == Z_BUF_ERROR) return fail(Code::syntax, "the compressed stream has no end: the file is cut off");
  return fail(Code::syntax, "the compressed stream is damaged ({})", said.empty() ? "no zlib or gzip" : said);
}

std::string deflated(std::string_view bytes) {
  z_stream stream{};
  expects(deflateInit(&stream, 6) == Z_OK, "zlib can be started");
  std::string out;
  constexpr std::size_t piece = std::size_t(1) << 30, step = std::size_t(1) << 18;
  int status = Z_OK;
  do {
    if (stream.avail_in == 0) {
      const std::size_t next = std::min(bytes.size(), piece);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
      stream.avail_in = uInt(next);
      bytes.remove_prefix(next);
    }
    const std::size_t have = out.size();
    out.resize(have + step);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + have);
    stream.avail_out = uInt(step);
    status = deflate(&stream, bytes.empty() ? Z_FINISH : Z_NO_FLUSH);
    out.resize(have + step - stream.avail_out);
  } while (status != Z_STREAM_END);
  deflateEnd(&stream);
  return out;
}

}  // namespace equipoise::data
