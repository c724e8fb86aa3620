package dev.fdfiber.testing;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * On a {@link dev.fdfiber.fd.Pty} parameter of an {@link FdTest}: the program whose terminal it is.
 * It runs when the test begins; after the test it is killed where it has not ended.
 */
@Documented
@Target(ElementType.PARAMETER)
@Retention(RetentionPolicy.RUNTIME)
public @interface Program {
  /** The program, looked for on the path, and its arguments. */
  String[] value();
}
