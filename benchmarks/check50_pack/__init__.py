"""The smallest challenge as check50 would have it: one check, run beside ours."""

import check50


@check50.check()
def sum_is_right():
    """The sum of two numbers is printed."""
    check50.run("python3 main.py").stdin("2 3", prompt=False).stdout("5").exit(0)
