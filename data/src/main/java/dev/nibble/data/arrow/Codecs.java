package dev.nibble.data.arrow;

import dev.nibble.data.natives.Zstandard;
import org.apache.arrow.compression.CommonsCompressionFactory;
import org.apache.arrow.vector.compression.CompressionCodec;
import org.apache.arrow.vector.compression.CompressionUtil.CodecType;

/** Arrow's codecs, their native parts loaded our way. */
final class Codecs implements CompressionCodec.Factory {
  @Override
  public CompressionCodec createCodec(CodecType type) {
    load(type);
    return CommonsCompressionFactory.INSTANCE.createCodec(type);
  }

  @Override
  public CompressionCodec createCodec(CodecType type, int level) {
    load(type);
    return CommonsCompressionFactory.INSTANCE.createCodec(type, level);
  }

  private static void load(CodecType type) {
    if (type == CodecType.ZSTD) {
      Zstandard.load();
    }
  }
}
