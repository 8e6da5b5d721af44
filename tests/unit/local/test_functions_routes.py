"""Which paths a route of an Azure function takes, and what it reads from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosswind_local.functions_host.routes import InvalidRoute, Route


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("api/hello", "/api/hello", {}),
        ("api/hello", "/API/Hello/", {}),
        ("api/hello", "/api/hello/you", None),
        (
            "api/products/{category:alpha}/{id:int?}",
            "/api/products/tools/7",
            {"category": "tools", "id": "7"},
        ),
        ("api/products/{category:alpha}/{id:int?}", "/api/products/tools", {"category": "tools"}),
        ("api/products/{category:alpha}/{id:int?}", "/api/products/t2/7", None),
        ("api/products/{category:alpha}/{id:int?}", "/api/products/tools/x", None),
        ("api/{*rest}", "/api/a/b/c", {"rest": "a/b/c"}),
        ("api/{*rest}", "/api", {}),
        ("api/{year}-{month}", "/api/2026-11", {"year": "2026", "month": "11"}),
        ("api/{name=world}", "/api", {"name": "world"}),
        ("api/{name=world}", "/api/you", {"name": "you"}),
        ("api/{name}", "/api/a%20b%C3%A4", {"name": "a bä"}),
        (
            "{id:guid}",
            "/6f9619ff-8b86-d011-b42d-00cf4fc964ff",
            {"id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff"},
        ),
        ("a.b", "/aXb", None),
    ],
)
def test_a_route_takes_what_it_says(
    template: str, path: str, parameters: dict[str, str] | None
) -> None:
    assert Route(template).match(path) == parameters


@pytest.mark.parametrize("template", ["api/{id:hex}", "api/{", "api/{a b}", "api/x}{"])
def test_what_is_no_route_is_refused(template: str) -> None:
    with pytest.raises(InvalidRoute, match="the route"):
        Route(template)


@given(st.text(st.sampled_from("ab{}*:?=/int"), max_size=16), st.text(max_size=16))
def test_any_text_is_a_route_or_refused(template: str, path: str) -> None:
    try:
        route = Route(template)
    except InvalidRoute:
        return
    route.match("/" + path)
