package dev.nibble.cli;

import dev.nibble.compute.tensor.DType;
import java.util.Locale;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Picocli's converter of the element types that a model can be saved in. */
final class FloatTypeConverter implements ITypeConverter<DType> {
  @Override
  public DType convert(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "bf16" -> DType.BF16;
      case "f16" -> DType.F16;
      case "f32" -> DType.F32;
      default -> throw new TypeConversionException("'" + text + "' is none of bf16, f16 and f32");
    };
  }
}
