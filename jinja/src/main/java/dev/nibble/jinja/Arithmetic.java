package dev.nibble.jinja;

import dev.nibble.jinja.Value.Bool;
import dev.nibble.jinja.Value.Int;
import dev.nibble.jinja.Value.Real;
import java.math.BigInteger;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Python's numbers: an int has any size, a bool is an int, and a float is a double. */
final class Arithmetic {
  /** Python itself refuses to print longer ints. */
  private static final int MAX_BITS = 14_000;

  /** Any int of so many bits is a double. */
  private static final int EXACT_BITS = 53;

  private Arithmetic() {}

  /** The value as an int, if it is one or a bool. */
  static Optional<BigInteger> integer(Value value) {
    return switch (value) {
      case Int(BigInteger n) -> Optional.of(n);
      case Bool(boolean b) -> Optional.of(b ? BigInteger.ONE : BigInteger.ZERO);
      default -> Optional.empty();
    };
  }

  static boolean isNumber(@Nullable Object value) {
    return value instanceof Int || value instanceof Bool || value instanceof Real;
  }

  static double real(Value value) {
    if (value instanceof Real(double n)) {
      return n;
    }
    double n = integer(value).orElseThrow().doubleValue();
    if (Double.isInfinite(n)) {
      throw Failure.value("int too large to convert to float");
    }
    return n;
  }

  static boolean equal(Value a, @Nullable Object other) {
    return isNumber(other)
        && other instanceof Value b
        && !isNan(a)
        && !isNan(b)
        && compare(a, b) == 0;
  }

  static boolean isNan(Value value) {
    return value instanceof Real(double n) && Double.isNaN(n);
  }

  /** What the result of {@link #apply} costs, in steps; words are of 32 bits. */
  static long cost(String operator, Value a, Value b) {
    long left = words(a);
    long right = words(b);
    return switch (operator) {
      case "+", "-" -> (left + right) / 16;
      case "*" -> left * right / 16;
      case "/" -> (left + right) / 4;
      case "**" -> {
        long result = Math.min(MAX_BITS / 32, left * exponent(b));
        yield result * result / 16;
      }
      default -> left * right / 4 + left / 4;
    };
  }

  private static long exponent(Value value) {
    return value instanceof Int(BigInteger n)
        ? n.abs().min(BigInteger.valueOf(MAX_BITS)).longValue()
        : 1;
  }

  /** What it costs to write an int in decimal, in steps. */
  static long writing(BigInteger number) {
    long words = number.bitLength() / 32;
    return words * words / 16;
  }

  private static long words(Value value) {
    return value instanceof Int(BigInteger n) ? n.bitLength() / 32 + 1 : 1;
  }

  /** Compares two numbers exactly; neither may be NaN. */
  static int compare(Value a, Value b) {
    Optional<BigInteger> x = integer(a);
    Optional<BigInteger> y = integer(b);
    if (x.isPresent() && y.isPresent()) {
      return x.get().compareTo(y.get());
    }
    if (x.isPresent()) {
      return -compare(b, a);
    }
    double left = real(a);
    if (y.isEmpty()) {
      double right = real(b);
      return left == right ? 0 : Double.compare(left, right);
    }
    return compare(left, y.get());
  }

  private static int compare(double left, BigInteger right) {
    if (right.bitLength() < EXACT_BITS) {
      double exact = (double) right.longValue();
      return left == exact ? 0 : Double.compare(left, exact);
    }
    if (Math.abs(left) < 0x1p53 || Double.isInfinite(left) || Math.signum(left) != right.signum()) {
      double sign = Double.isInfinite(left) ? left : -right.signum();
      return sign > 0 ? 1 : -1;
    }
    int exponent = Math.getExponent(left);
    if (exponent + 1 != right.abs().bitLength()) {
      return exponent + 1 > right.abs().bitLength() ? right.signum() : -right.signum();
    }
    long digits = (Double.doubleToLongBits(left) & ((1L << 52) - 1)) | (1L << 52);
    BigInteger whole = BigInteger.valueOf(digits).shiftLeft(exponent - 52);
    return (left < 0 ? whole.negate() : whole).compareTo(right);
  }

  /** Equal numbers have equal hashes, whatever their types. */
  static int hash(BigInteger number) {
    boolean exact =
        number.bitLength() < EXACT_BITS
            || (number.bitLength() <= Double.MAX_EXPONENT + 1
                && number.abs().bitLength() - number.getLowestSetBit() <= EXACT_BITS);
    return exact ? hash(number.doubleValue()) : Hashing.of(number.toByteArray());
  }

  static int hash(double number) {
    return Hashing.of(number + 0.0); // -0.0 == 0
  }

  /** The result of {@code + - * / // % **} on two numbers. */
  static Value apply(String operator, Value a, Value b) {
    Optional<BigInteger> x = integer(a);
    Optional<BigInteger> y = integer(b);
    if (x.isPresent() && y.isPresent() && !operator.equals("/")) {
      BigInteger left = x.get();
      BigInteger right = y.get();
      return switch (operator) {
        case "+" -> checked(left.add(right));
        case "-" -> checked(left.subtract(right));
        case "*" -> checked(left.multiply(right));
        case "//" -> checked(floorDivide(left, right));
        case "%" -> checked(left.subtract(floorDivide(left, right).multiply(right)));
        default -> power(left, right);
      };
    }
    double left = real(a);
    double right = real(b);
    return new Real(
        switch (operator) {
          case "+" -> left + right;
          case "-" -> left - right;
          case "*" -> left * right;
          case "/" -> {
            if (right == 0) {
              throw Failure.value(
                  x.isPresent() && y.isPresent() ? "division by zero" : "float division by zero");
            }
            yield left / right;
          }
          case "//" -> (left - modulo(left, right, "float floor division by zero")) / right;
          case "%" -> modulo(left, right, "float modulo");
          default -> power(left, right);
        });
  }

  private static Value checked(BigInteger n) {
    if (n.bitLength() > MAX_BITS) {
      throw Failure.limit("an int has more than " + MAX_BITS + " bits");
    }
    return new Int(n);
  }

  private static BigInteger floorDivide(BigInteger a, BigInteger b) {
    if (b.signum() == 0) {
      throw Failure.value("integer division or modulo by zero");
    }
    BigInteger[] parts = a.divideAndRemainder(b);
    return parts[1].signum() != 0 && parts[1].signum() != b.signum()
        ? parts[0].subtract(BigInteger.ONE)
        : parts[0];
  }

  private static double modulo(double a, double b, String zero) {
    if (b == 0) {
      throw Failure.value(zero);
    }
    double rest = a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest == 0 ? Math.copySign(0, b) : rest;
  }

  private static Value power(BigInteger base, BigInteger exponent) {
    if (exponent.signum() < 0) {
      return new Real(power(base.doubleValue(), exponent.doubleValue()));
    }
    boolean small = base.abs().bitLength() <= 1;
    if (!small
        && (exponent.bitLength() > 20
            || (long) base.bitLength() * exponent.intValue() > MAX_BITS + 64)) {
      throw Failure.limit("an int has more than " + MAX_BITS + " bits");
    }
    int times = small ? (exponent.testBit(0) ? 1 : 2) * exponent.signum() : exponent.intValue();
    return checked(base.pow(times));
  }

  private static double power(double base, double exponent) {
    if (base == 0 && exponent < 0) {
      throw Failure.value("0.0 cannot be raised to a negative power");
    }
    if (base < 0 && exponent != Math.rint(exponent)) {
      throw Failure.unsupported("a negative number to a broken power is a complex number");
    }
    double result = Math.pow(base, exponent);
    if (Double.isInfinite(result) && !Double.isInfinite(base) && !Double.isInfinite(exponent)) {
      throw Failure.value("(34, 'Numerical result out of range')");
    }
    return result;
  }

  static Value negated(Value value) {
    return value instanceof Real(double n)
        ? new Real(-n)
        : new Int(integer(value).orElseThrow().negate());
  }
}
