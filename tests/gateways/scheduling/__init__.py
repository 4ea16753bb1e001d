import pytest

# They are no test modules themselves, but their asserts are to tell as much.
pytest.register_assert_rewrite("tests.gateways.scheduling.contract")
