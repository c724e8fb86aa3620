/** Tests of the typed descriptors, each where {@link dev.fdfiber.fd.Where} says. */
package dev.fdfiber.fd;
