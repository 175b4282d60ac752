package dev.nibble.compute.kernels.cuda.work;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The parameters of a kernel according to its PTX. The driver cannot check them: it reads whatever
 * lies at the given addresses.
 */
final class Parameters {
  private static final Pattern ENTRY = Pattern.compile("\\.entry\\s+(\\w+)\\s*\\(([^)]*)\\)");
  private static final Pattern PARAMETER = Pattern.compile("\\.param\\s+([^,]*)");
  private static final Pattern TYPE = Pattern.compile("\\.\\w+");

  private final List<String> types;

  private Parameters(List<String> types) {
    this.types = types;
  }

  /** The parameters of each kernel in a PTX text. */
  static Map<String, Parameters> of(String ptx) {
    Map<String, Parameters> kernels = new HashMap<>();
    Matcher entries = ENTRY.matcher(ptx);
    while (entries.find()) {
      List<String> types = new ArrayList<>();
      Matcher list = PARAMETER.matcher(entries.group(2));
      while (list.find()) {
        types.add(type(list.group(1)));
      }
      kernels.put(entries.group(1), new Parameters(types));
    }
    return kernels;
  }

  /** The type of one, for example {@code .u64}; a struct's whole declaration. */
  private static String type(String declaration) {
    String text = declaration.strip();
    Matcher word = TYPE.matcher(text);
    return word.lookingAt() && !word.group().equals(".align") ? word.group() : text;
  }

  int count() {
    return types.size();
  }

  /** Whether parameter {@code i} is of this type, signed or not. */
  boolean is(int i, Kind kind) {
    String type = types.get(i);
    return type.equals(kind.ptx) || type.equals(kind.signed);
  }

  /** For example {@code (.u64, .u64, .f32)}. */
  @Override
  public String toString() {
    return "(" + String.join(", ", types) + ")";
  }

  /** The kinds of arguments that Java passes. */
  enum Kind {
    POINTER(".u64", ".b64"),
    I32(".u32", ".s32"),
    I64(".u64", ".s64"),
    F32(".f32", ".f32"),
    F64(".f64", ".f64");

    private final String ptx;
    private final String signed;

    Kind(String ptx, String signed) {
      this.ptx = ptx;
      this.signed = signed;
    }
  }
}
