package dev.nibble.cli;

import dev.nibble.recipes.schema.ByteSizes;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** A number of bytes as {@link ByteSizes} reads it. */
record ByteSize(long bytes) {

  static ByteSize parse(String text) {
    try {
      return new ByteSize(ByteSizes.parse(text));
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }

  /** Picocli's converter of sizes. */
  static final class Converter implements ITypeConverter<ByteSize> {
    @Override
    public ByteSize convert(String text) {
      return parse(text);
    }
  }
}
